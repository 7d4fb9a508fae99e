/**
 * Stand-in of the `aws` provider: it plans. It makes nothing anywhere, and
 * says of what it was asked to make only what follows from the request. So a
 * program, its graph and its changes can be tried; whether AWS would have it,
 * cannot.
 */
import { createHash, randomBytes } from "node:crypto";
import { type ExistingAws, existingFunctions } from "./aws-existing.ts";
import type { Properties } from "./properties.ts";
import type { ResourceType, StandIn } from "./server.ts";

const account = "123456789012";
const region = "eu-central-1";

interface AwsType {
  /** Service in ARNs. */
  readonly service: string;
  /** How ARNs name it, where policies need to know. */
  readonly resource?: (name: string) => string;
  /** The longest name that AWS takes. */
  readonly longestName?: number;
  /** Outputs that AWS decides, and how they look. */
  readonly outputs?: (id: string, inputs: Properties) => Properties;
  readonly replaceOn?: readonly string[];
  /** Outputs that a change decides anew. */
  readonly changed?: (state: Properties) => Properties;
}

const types: Readonly<Record<string, AwsType>> = {
  "aws:autoscaling/group:Group": {
    service: "autoscaling",
    replaceOn: ["name"],
    outputs: (id, { name }) => ({
      arn: `arn:aws:autoscaling:${region}:${account}:autoScalingGroup:${id}:autoScalingGroupName/${typeof name === "string" ? name : id}`,
    }),
  },
  "aws:autoscaling/lifecycleHook:LifecycleHook": {
    service: "autoscaling",
    replaceOn: ["name", "autoscalingGroupName"],
  },
  "aws:autoscaling/policy:Policy": {
    service: "autoscaling",
    replaceOn: ["name", "autoscalingGroupName"],
  },
  "aws:cloudwatch/dashboard:Dashboard": {
    service: "cloudwatch",
    replaceOn: ["dashboardName"],
  },
  "aws:cloudwatch/logGroup:LogGroup": {
    service: "logs",
    replaceOn: ["name"],
    resource: (name) => `log-group:${name}`,
  },
  "aws:cloudwatch/logMetricFilter:LogMetricFilter": {
    service: "logs",
    replaceOn: ["name", "logGroupName"],
  },
  "aws:cloudwatch/metricAlarm:MetricAlarm": {
    service: "cloudwatch",
    replaceOn: ["name"],
  },
  "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": {
    service: "ec2",
    replaceOn: ["vpcId"],
  },
  "aws:ec2/eip:Eip": {
    service: "ec2",
    replaceOn: ["domain"],
    outputs: (id) => ({
      allocationId: `eipalloc-${id}`,
      arn: `arn:aws:ec2:${region}:${account}:elastic-ip/eipalloc-${id}`,
      publicIp: `198.19.${String(octet(id))}.${String(octet(id.slice(2)))}`,
    }),
  },
  "aws:ec2/flowLog:FlowLog": { service: "ec2", replaceOn: ["vpcId"] },
  "aws:ec2/internetGateway:InternetGateway": { service: "ec2" },
  "aws:ec2/launchTemplate:LaunchTemplate": {
    service: "ec2",
    replaceOn: ["name"],
    outputs: () => ({ latestVersion: 1, defaultVersion: 1 }),
    changed: ({ latestVersion }) => {
      const next = Number(latestVersion) + 1;
      return { latestVersion: next, defaultVersion: next };
    },
  },
  "aws:ec2/networkAcl:NetworkAcl": { service: "ec2", replaceOn: ["vpcId"] },
  "aws:ec2/route:Route": {
    service: "ec2",
    replaceOn: [
      "routeTableId",
      "destinationCidrBlock",
      "destinationIpv6CidrBlock",
    ],
  },
  "aws:ec2/routeTable:RouteTable": { service: "ec2", replaceOn: ["vpcId"] },
  "aws:ec2/routeTableAssociation:RouteTableAssociation": {
    service: "ec2",
    replaceOn: ["subnetId"],
  },
  "aws:ec2/securityGroup:SecurityGroup": {
    service: "ec2",
    replaceOn: ["name", "vpcId", "description"],
  },
  "aws:ec2/subnet:Subnet": {
    service: "ec2",
    replaceOn: ["vpcId", "availabilityZone", "cidrBlock"],
  },
  "aws:ec2/vpc:Vpc": {
    service: "ec2",
    replaceOn: ["cidrBlock"],
    outputs: (id) => ({
      ipv6CidrBlock: `2001:db8:${id.slice(0, 4)}:${id.slice(4, 6)}00::/56`,
    }),
  },
  "aws:ec2/vpcPeeringConnection:VpcPeeringConnection": {
    service: "ec2",
    replaceOn: ["vpcId", "peerVpcId"],
  },
  "aws:iam/instanceProfile:InstanceProfile": {
    service: "iam",
    replaceOn: ["name"],
  },
  "aws:iam/openIdConnectProvider:OpenIdConnectProvider": {
    service: "iam",
    replaceOn: ["url"],
  },
  "aws:iam/policy:Policy": {
    service: "iam",
    replaceOn: ["name"],
    outputs: (_, { name }) => ({
      arn: `arn:aws:iam::${account}:policy/${String(name)}`,
    }),
  },
  "aws:iam/role:Role": {
    service: "iam",
    replaceOn: ["name"],
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    longestName: 64,
  },
  "aws:iam/rolePolicy:RolePolicy": {
    service: "iam",
    replaceOn: ["role", "name"],
  },
  "aws:lambda/function:Function": {
    service: "lambda",
    replaceOn: ["name"],
    resource: (name) => `function:${name}`,
    longestName: 64,
  },
  "aws:lambda/invocation:Invocation": {
    service: "lambda",
    replaceOn: ["functionName", "input", "triggers", "qualifier"],
    outputs: (id) => ({
      // What either function of the stack answers.
      result: JSON.stringify({
        account: `https://acme.invalid/account/${id}`,
        certificate: "a certificate of the stand-in",
      }),
    }),
  },
  "aws:lb/listener:Listener": {
    service: "elasticloadbalancing",
    replaceOn: ["loadBalancerArn"],
  },
  "aws:lb/loadBalancer:LoadBalancer": {
    service: "elasticloadbalancing",
    replaceOn: ["name", "loadBalancerType", "internal"],
    longestName: 32,
    outputs: (id) => ({
      dnsName: `${id}.elb.${region}.amazonaws.com`,
      zoneId: "Z3F0SRJ5LGBH90",
      arnSuffix: `net/${id}`,
    }),
  },
  "aws:lb/targetGroup:TargetGroup": {
    service: "elasticloadbalancing",
    replaceOn: ["name", "port", "protocol", "vpcId"],
    longestName: 32,
    outputs: (id) => ({ arnSuffix: `targetgroup/${id}` }),
  },
  "aws:route53/record:Record": {
    service: "route53",
    replaceOn: ["zoneId", "name", "type"],
  },
  "aws:route53/resolverFirewallConfig:ResolverFirewallConfig": {
    service: "route53resolver",
    replaceOn: ["resourceId"],
  },
  "aws:route53/resolverFirewallDomainList:ResolverFirewallDomainList": {
    service: "route53resolver",
    replaceOn: ["name"],
  },
  "aws:route53/resolverFirewallRule:ResolverFirewallRule": {
    service: "route53resolver",
    replaceOn: ["firewallRuleGroupId", "firewallDomainListId"],
  },
  "aws:route53/resolverFirewallRuleGroup:ResolverFirewallRuleGroup": {
    service: "route53resolver",
    replaceOn: ["name"],
  },
  "aws:route53/resolverFirewallRuleGroupAssociation:ResolverFirewallRuleGroupAssociation":
    {
      service: "route53resolver",
      replaceOn: ["firewallRuleGroupId", "vpcId"],
    },
  "aws:route53/zone:Zone": {
    service: "route53",
    replaceOn: ["name"],
    outputs: (id) => ({ zoneId: `Z${id.toUpperCase()}` }),
  },
  "aws:s3/bucket:Bucket": {
    service: "s3",
    replaceOn: ["bucket"],
    longestName: 63,
    outputs: (_, { bucket }) => ({
      bucket,
      arn: `arn:aws:s3:::${String(bucket)}`,
    }),
  },
  "aws:s3/bucketObjectv2:BucketObjectv2": {
    service: "s3",
    replaceOn: ["bucket", "key"],
  },
  "aws:s3/bucketPolicy:BucketPolicy": { service: "s3", replaceOn: ["bucket"] },
  "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": {
    service: "s3",
    replaceOn: ["bucket"],
  },
  "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration":
    { service: "s3", replaceOn: ["bucket"] },
  "aws:scheduler/schedule:Schedule": {
    service: "scheduler",
    replaceOn: ["name", "groupName"],
    longestName: 64,
  },
  "aws:secretsmanager/secret:Secret": {
    service: "secretsmanager",
    replaceOn: ["name"],
    resource: (name) => `secret:${name}-AbCdEf`,
  },
  "aws:secretsmanager/secretVersion:SecretVersion": {
    service: "secretsmanager",
    replaceOn: ["secretId", "secretString"],
    outputs: (id) => ({ versionId: id }),
  },
  "aws:sns/topic:Topic": { service: "sns", replaceOn: ["name"] },
  "aws:sns/topicSubscription:TopicSubscription": {
    service: "sns",
    replaceOn: ["endpoint", "protocol", "topic"],
  },
  "aws:sqs/queue:Queue": {
    service: "sqs",
    replaceOn: ["name"],
    resource: (name) => name,
    longestName: 80,
  },
  "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": {
    service: "ec2",
    replaceOn: ["securityGroupId"],
  },
  "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": {
    service: "ec2",
    replaceOn: ["securityGroupId"],
  },
};

/** @param existing what is there before a program runs */
export function awsStandIn(
  existing: ExistingAws,
): Pick<StandIn, "types" | "functions"> {
  return {
    types: Object.fromEntries(
      Object.entries(types).map(([token, type]) => [
        token,
        resourceType(token, type),
      ]),
    ),
    functions: { ...functions, ...existingFunctions(existing) },
  };
}

/** What AWS answers to questions about itself. */
const functions: NonNullable<StandIn["functions"]> = {
  "aws:index/getCallerIdentity:getCallerIdentity": () => ({
    accountId: account,
    arn: `arn:aws:iam::${account}:user/stand-in`,
    id: account,
    userId: "stand-in",
  }),
  "aws:index/getAvailabilityZones:getAvailabilityZones": () => ({
    id: region,
    names: ["a", "b", "c"].map((zone) => region + zone),
    zoneIds: ["1", "2", "3"].map((zone) => `euc1-az${zone}`),
    groupNames: [region],
    state: "available",
  }),
  "aws:ssm/getParameter:getParameter": ({ name }) => ({
    id: name,
    name,
    value: `ami-${createHash("sha256").update(String(name)).digest("hex").slice(0, 17)}`,
    type: "String",
    version: 1,
    arn: `arn:aws:ssm:${region}::parameter${String(name)}`,
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
  readonly principals?: readonly { type: string; identifiers: string[] }[];
  readonly conditions?: readonly {
    test: string;
    variable: string;
    values: string[];
  }[];
}

function statement(given: PolicyStatement) {
  const { sid, effect, actions, resources, principals, conditions } = given;
  return {
    ...(sid === undefined ? {} : { Sid: sid }),
    Effect: effect ?? "Allow",
    Action: actions,
    Resource: resources,
    ...(principals && {
      Principal: Object.fromEntries(
        principals.map(({ type, identifiers }) => [type, identifiers]),
      ),
    }),
    ...(conditions && { Condition: conditionOf(conditions) }),
  };
}

function conditionOf(conditions: NonNullable<PolicyStatement["conditions"]>) {
  const tests: Record<string, Record<string, string[]>> = {};
  for (const { test, variable, values } of conditions) {
    (tests[test] ??= {})[variable] = values;
  }
  return tests;
}

/** Some number of one byte that follows from an id. */
function octet(id: string): number {
  return parseInt(id.slice(0, 2) || "0", 16);
}

function resourceType(token: string, type: AwsType): ResourceType {
  const { service, outputs = () => ({}), replaceOn = [], changed } = type;
  const { resource, longestName = Infinity } = type;
  const kind = token.split(":").at(-1)?.toLowerCase() ?? "";
  const autoname = ["bucket", "name"].find(
    (property) => replaceOn[0] === property,
  );
  const decided = (id: string, inputs: Properties): Properties => ({
    arn: `arn:aws:${service}:${region}:${account}:${resource?.(String(inputs.name)) ?? `${kind}/${id}`}`,
    ...outputs(id, inputs),
  });
  return {
    computed: Object.keys(decided("", {})).filter((name) => name !== autoname),
    replaceOn,
    ...(autoname !== undefined && {
      autoname,
      check: (inputs) => {
        const name = String(inputs[autoname]);
        return name.length <= longestName
          ? []
          : [
              {
                property: autoname,
                reason: `"${name}" is longer than ${String(longestName)} characters`,
              },
            ];
      },
    }),
    ...(changed && {
      update: ({ id, state, inputs }) =>
        Promise.resolve({ ...decided(id, inputs), ...changed(state) }),
    }),
    create: (inputs) => {
      const id = randomBytes(8).toString("hex");
      return Promise.resolve({ id, outputs: decided(id, inputs) });
    },
  };
}
