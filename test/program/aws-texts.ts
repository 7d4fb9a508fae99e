/**
 * Names and descriptions that AWS would refuse. Its provider looks at the
 * length of most of them and leaves the rest to AWS, which refuses the request
 * in the middle of an "up".
 */
import { type Resource, nameOf } from "../../scripts/toolchain/engine-state.ts";

/** Of EC2's security groups and their rules: botocore's model of ec2, IpRange and CreateSecurityGroupRequest. */
const securityGroup = /^[a-zA-Z0-9 ._\-:/()#,@[\]+=&;{}!$*]{1,255}$/;
/** botocore's model of iam, roleDescriptionType. */
const roleDescription = /^[\t\n\r\x20-\x7e\xa1-\xff]{1,1000}$/;
const iamName = /^[\w+=,.@-]{1,128}$/;
const printable = (longest: number) =>
  new RegExp(String.raw`^[^\p{Cc}]{1,${String(longest)}}$`, "u");
const wordsAndHyphens = (longest: number) =>
  new RegExp(String.raw`^[\w-]{1,${String(longest)}}$`);

/** What AWS takes, from each service's API reference, by type and input. */
const taken: Readonly<Record<string, Readonly<Record<string, RegExp>>>> = {
  "aws:autoscaling/group:Group": { name: /^[^\p{Cc}:]{1,255}$/u },
  "aws:autoscaling/lifecycleHook:LifecycleHook": { name: /^[\w/-]{1,255}$/ },
  "aws:autoscaling/policy:Policy": { name: printable(255) },
  "aws:cloudwatch/dashboard:Dashboard": { dashboardName: wordsAndHyphens(255) },
  "aws:cloudwatch/logGroup:LogGroup": { name: /^[\w./#-]{1,512}$/ },
  "aws:cloudwatch/logMetricFilter:LogMetricFilter": { name: /^[^:*]{1,512}$/ },
  "aws:cloudwatch/metricAlarm:MetricAlarm": {
    name: printable(255),
    alarmDescription: printable(1024),
  },
  "aws:ec2/launchTemplate:LaunchTemplate": { name: /^[\w()./-]{3,128}$/ },
  "aws:ec2/securityGroup:SecurityGroup": {
    name: /^(?!sg-)[a-zA-Z0-9 ._\-:/()#,@[\]+=&;{}!$*]{1,255}$/,
    description: securityGroup,
  },
  "aws:iam/instanceProfile:InstanceProfile": { name: iamName },
  "aws:iam/policy:Policy": { name: iamName, description: roleDescription },
  "aws:iam/role:Role": { name: iamName, description: roleDescription },
  "aws:iam/rolePolicy:RolePolicy": { name: iamName },
  "aws:lambda/function:Function": {
    name: wordsAndHyphens(64),
    description: printable(256),
  },
  "aws:lb/loadBalancer:LoadBalancer": {
    name: /^(?!internal-)[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,30}[a-zA-Z0-9])?$/,
  },
  "aws:lb/targetGroup:TargetGroup": {
    name: /^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,30}[a-zA-Z0-9])?$/,
  },
  "aws:route53/record:Record": { name: /^[a-z0-9.*_-]{1,255}$/ },
  "aws:route53/resolverFirewallDomainList:ResolverFirewallDomainList": {
    name: /^(?!\d+$)[\w '-]{1,64}$/,
  },
  "aws:route53/resolverFirewallRule:ResolverFirewallRule": {
    name: /^(?!\d+$)[\w '-]{1,64}$/,
  },
  "aws:route53/resolverFirewallRuleGroup:ResolverFirewallRuleGroup": {
    name: /^(?!\d+$)[\w '-]{1,64}$/,
  },
  "aws:route53/resolverFirewallRuleGroupAssociation:ResolverFirewallRuleGroupAssociation":
    { name: /^(?!\d+$)[\w '-]{1,64}$/ },
  "aws:route53/zone:Zone": {
    name: /^[a-z0-9._-]{1,255}$/,
    comment: printable(256),
  },
  "aws:scheduler/schedule:Schedule": { name: /^[\w.-]{1,64}$/ },
  "aws:secretsmanager/secret:Secret": {
    name: /^[\w/+=.@-]{1,512}$/,
    description: printable(2048),
  },
  "aws:sns/topic:Topic": {
    name: wordsAndHyphens(256),
    displayName: printable(100),
  },
  "aws:sqs/queue:Queue": { name: wordsAndHyphens(80) },
  "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": {
    description: securityGroup,
  },
  "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": {
    description: securityGroup,
  },
};

/** Inputs that are texts of ours, whatever they belong to. */
const isText = (input: string) =>
  /^(name|comment)$|[dD]escription$|^(dashboard|display)Name$/.test(input);
/** Of the services that have tags, IAM takes the fewest characters. */
const tag = /^[\p{L}\p{Z}\p{N}_.:/=+@-]{0,256}$/u;

/** Lines that say which text of which resource AWS would not take, or is not known here. */
export function refusedTexts(resources: readonly Resource[]): string[] {
  return resources
    .filter(({ type }) => type.startsWith("aws:"))
    .flatMap((resource) =>
      [
        ...Object.entries(resource.inputs)
          .filter(([input, text]) => isText(input) && typeof text === "string")
          .filter(
            ([input, text]) =>
              taken[resource.type]?.[input]?.test(String(text)) !== true,
          ),
        ...tagsOf(resource.inputs).filter((pair) =>
          pair.some((part) => !tag.test(part)),
        ),
      ].map(
        ([what, text]) =>
          `${nameOf(resource)} (${resource.type}) ${what}: ${JSON.stringify(text)}`,
      ),
    );
}

/** Names and values of all tags, however deep they stand. */
function tagsOf(inputs: object): (readonly [string, string])[] {
  return Object.entries(inputs).flatMap(([input, value]) => {
    if (typeof value !== "object" || value === null) return [];
    if (input !== "tags") return tagsOf(value as object);
    const tags = Object.entries(value as Record<string, unknown>);
    return tags.map(([name, text]) => [name, String(text)] as const);
  });
}
