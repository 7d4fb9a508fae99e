/** Who may do what. */
import {
  type Fields,
  type ResourcePolicy,
  documentOf,
  fieldsOf,
  isSet,
  listOf,
  textsOf,
} from "./resources.ts";

/** Where resources hold documents of permissions, as text or as objects. */
const permissionDocuments: Readonly<
  Record<string, (inputs: Fields) => unknown[]>
> = {
  "aws:iam/rolePolicy:RolePolicy": ({ policy }) => [policy],
  "aws:iam/userPolicy:UserPolicy": ({ policy }) => [policy],
  "aws:iam/groupPolicy:GroupPolicy": ({ policy }) => [policy],
  "aws:iam/policy:Policy": ({ policy }) => [policy],
  "aws:iam/role:Role": ({ inlinePolicies }) =>
    listOf(inlinePolicies).map((inline) => fieldsOf(inline).policy),
};

/** AWS' own policies that are wildcards themselves. */
const broad =
  /\/(AdministratorAccess|PowerUserAccess|ReadOnlyAccess|\w+FullAccess)$/;

export const iamWildcards: ResourcePolicy = {
  name: "iam-wildcards",
  description: "No role may do everything of a kind to everything there is.",
  judge: ({ type, inputs }) => [
    ...(permissionDocuments[type]?.(inputs) ?? []).flatMap(wrongStatements),
    ...[...textsOf(inputs.policyArn), ...textsOf(inputs.managedPolicyArns)]
      .filter((arn) => type.startsWith("aws:iam/") && broad.test(arn))
      .map((arn) => `${arn} is as broad as can be; write what is needed.`),
  ],
};

function wrongStatements(document: unknown): string[] {
  return listOf(documentOf(document).Statement)
    .map(fieldsOf)
    .filter(({ Effect }) => Effect === "Allow")
    .filter((statement) => anyAction(statement) && anyResource(statement))
    .map(
      ({ Sid, Action, NotAction }) =>
        `Statement ${JSON.stringify(Sid ?? Action ?? NotAction)} allows a wildcard of actions on a wildcard of resources; name one of them.`,
    );
}

/** `NotAction` and `NotResource` allow what nobody has listed. */
function anyAction({ Action, NotAction }: Fields): boolean {
  return (
    isSet(NotAction) || textsOf(Action).some((action) => action.includes("*"))
  );
}

function anyResource({ Resource, NotResource }: Fields): boolean {
  return isSet(NotResource) || textsOf(Resource).some(isAnything);
}

/** `*`, and ARNs that leave open which one of a service's: `arn:aws:s3:::*`. */
function isAnything(resource: string): boolean {
  const name = resource.startsWith("arn:")
    ? resource.split(":").slice(5).join(":")
    : resource;
  return /^[*?/:]+$/.test(name);
}

/** Where resources say who may take or use them. */
const trustDocuments: Readonly<Record<string, string>> = {
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
    const property = trustDocuments[type];
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
