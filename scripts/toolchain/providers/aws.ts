/**
 * Stand-in of the `aws` provider: it plans. It makes nothing anywhere, and
 * says of what it was asked to make only what follows from the request. So a
 * program, its graph and its changes can be tried; whether AWS would have it,
 * cannot.
 */
import { createHash, randomBytes } from "node:crypto";
import type { Properties } from "./properties.ts";
import type { ResourceType } from "./server.ts";

const account = "123456789012";
const region = "eu-central-1";

interface AwsType {
  /** Service in ARNs. */
  readonly service: string;
  /** Outputs that AWS decides, and how they look. */
  readonly outputs?: (id: string, inputs: Properties) => Properties;
  readonly replaceOn?: readonly string[];
}

const types: Readonly<Record<string, AwsType>> = {
  "aws:cloudwatch/logGroup:LogGroup": {
    service: "logs",
    replaceOn: ["name"],
  },
  "aws:cloudwatch/metricAlarm:MetricAlarm": {
    service: "cloudwatch",
    replaceOn: ["name"],
  },
  "aws:iam/role:Role": { service: "iam", replaceOn: ["name"] },
  "aws:iam/rolePolicy:RolePolicy": {
    service: "iam",
    replaceOn: ["role", "name"],
  },
  "aws:lambda/function:Function": {
    service: "lambda",
    replaceOn: ["name"],
  },
  "aws:lambda/invocation:Invocation": {
    service: "lambda",
    replaceOn: ["functionName", "input", "triggers", "qualifier"],
    outputs: (id) => ({
      result: JSON.stringify({ account: `https://acme.invalid/account/${id}` }),
    }),
  },
  "aws:scheduler/schedule:Schedule": {
    service: "scheduler",
    replaceOn: ["name", "groupName"],
  },
  "aws:secretsmanager/secret:Secret": {
    service: "secretsmanager",
    replaceOn: ["name"],
  },
  "aws:secretsmanager/secretVersion:SecretVersion": {
    service: "secretsmanager",
    replaceOn: ["secretId", "secretString"],
    outputs: (id) => ({ versionId: id }),
  },
  "aws:sqs/queue:Queue": { service: "sqs", replaceOn: ["name"] },
};

export const awsTypes: Readonly<Record<string, ResourceType>> =
  Object.fromEntries(
    Object.entries(types).map(([token, type]) => [
      token,
      resourceType(token, type),
    ]),
  );

/** What AWS answers to questions about itself. */
export const awsFunctions: Readonly<
  Record<string, (args: Properties) => Properties>
> = {
  "aws:index/getCallerIdentity:getCallerIdentity": () => ({
    accountId: account,
    arn: `arn:aws:iam::${account}:user/stand-in`,
    id: account,
    userId: "stand-in",
  }),
  "aws:index/getRegion:getRegion": () => ({
    region,
    name: region,
    id: region,
    description: "Europe (Frankfurt)",
    endpoint: `ec2.${region}.amazonaws.com`,
  }),
  "aws:iam/getPolicyDocument:getPolicyDocument": (args) => ({
    id: createHash("sha256").update(JSON.stringify(args)).digest("hex"),
    json: JSON.stringify({
      Version: "2012-10-17",
      Statement: (args.statements as PolicyStatement[]).map(statement),
    }),
  }),
};

interface PolicyStatement {
  readonly sid?: string;
  readonly effect?: string;
  readonly actions?: readonly string[];
  readonly resources?: readonly string[];
}

function statement({ sid, effect, actions, resources }: PolicyStatement) {
  return {
    ...(sid === undefined ? {} : { Sid: sid }),
    Effect: effect ?? "Allow",
    Action: actions,
    Resource: resources,
  };
}

function resourceType(token: string, type: AwsType): ResourceType {
  const { service, outputs = () => ({}), replaceOn = [] } = type;
  const kind = token.split(":").at(-1)?.toLowerCase() ?? "";
  const decided = (id: string, inputs: Properties): Properties => ({
    name: typeof inputs.name === "string" ? inputs.name : `${kind}-${id}`,
    arn: `arn:aws:${service}:${region}:${account}:${kind}/${id}`,
    ...outputs(id, inputs),
  });
  return {
    computed: Object.keys(decided("", {})),
    replaceOn,
    create: (inputs) => {
      const id = randomBytes(8).toString("hex");
      return Promise.resolve({ id, outputs: decided(id, inputs) });
    },
  };
}
