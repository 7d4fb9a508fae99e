import type { ResourcePolicy } from "./policy.ts";
import {
  type Fields,
  documentOf,
  fieldsOf,
  listOf,
  textsOf,
} from "./values.ts";

/** Where resources say who may take or use them. */
const documents: Readonly<Record<string, string>> = {
  "aws:iam/role:Role": "assumeRolePolicy",
  "aws:s3/bucketPolicy:BucketPolicy": "policy",
  "aws:sns/topicPolicy:TopicPolicy": "policy",
  "aws:sqs/queuePolicy:QueuePolicy": "policy",
  "aws:secretsmanager/secretPolicy:SecretPolicy": "policy",
  "aws:kms/key:Key": "policy",
};
const permission = "aws:lambda/permission:Permission";

/** They act for nobody but those who may pass a role: see platforms/aws/service-trust.ts. */
const ownAccountOnly = ["ec2.amazonaws.com", "lambda.amazonaws.com"];

/** A service does what its customers ask for, and others are customers as well. */
export const serviceTrust: ResourcePolicy = {
  name: "service-trust",
  description: "A service of AWS acts for this account's resources alone.",
  judge: ({ type, inputs }) => {
    if (type === permission) {
      return isService(String(inputs.principal)) &&
        inputs.sourceAccount === undefined &&
        inputs.sourceArn === undefined
        ? [wrong(String(inputs.principal), "sourceAccount and sourceArn")]
        : [];
    }
    const property = documents[type];
    if (property === undefined) return [];
    return listOf(documentOf(inputs[property]).Statement)
      .map(fieldsOf)
      .filter(({ Effect }) => Effect === "Allow")
      .filter((statement) => !isBound(statement))
      .flatMap(({ Principal }) => textsOf(fieldsOf(Principal).Service))
      .filter((service) => !ownAccountOnly.includes(service))
      .map((service) => wrong(service, "a condition aws:SourceAccount"));
  },
};

function isService(principal: string): boolean {
  return principal.endsWith(".amazonaws.com");
}

/** Condition keys are the same in any case of letters. */
function isBound({ Condition }: Fields): boolean {
  return ["StringEquals", "StringLike"].some((test) =>
    Object.entries(fieldsOf(fieldsOf(Condition)[test])).some(
      ([key, values]) =>
        key.toLowerCase() === "aws:sourceaccount" &&
        textsOf(values).every((account) => /^\d{12}$/.test(account)),
    ),
  );
}

function wrong(service: string, what: string): string {
  return `${service} may be sent by other accounts; add ${what}.`;
}
