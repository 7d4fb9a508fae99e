/**
 * What production's machines may reach, look up, read and do, in lines that a
 * person can read: each wall of the stack with what it lets through.
 */
import type { Resource } from "../../scripts/toolchain/engine-state.ts";
import { nameOf } from "../../scripts/toolchain/engine-state.ts";

const groupRule = [
  ...["securityGroupId", "ipProtocol", "fromPort", "toPort"],
  ...["cidrIpv4", "cidrIpv6", "referencedSecurityGroupId"],
];

/** The inputs that are walls, of each type that has some. */
const walls: Readonly<Record<string, readonly string[]>> = {
  "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": [
    ...["vpcId", "ingress", "egress"],
  ],
  "aws:ec2/launchTemplate:LaunchTemplate": [
    ...["metadataOptions", "blockDeviceMappings", "networkInterfaces"],
    ...["keyName", "iamInstanceProfile"],
  ],
  "aws:ec2/networkAcl:NetworkAcl": ["subnetIds", "egress", "ingress"],
  "aws:ec2/route:Route": [
    ...["routeTableId", "destinationCidrBlock", "destinationIpv6CidrBlock"],
    ...["gatewayId", "vpcPeeringConnectionId"],
  ],
  "aws:ec2/securityGroup:SecurityGroup": ["vpcId", "ingress", "egress"],
  "aws:ec2/subnet:Subnet": ["vpcId", "cidrBlock", "mapPublicIpOnLaunch"],
  "aws:iam/instanceProfile:InstanceProfile": ["role"],
  "aws:iam/rolePolicy:RolePolicy": ["role", "policy"],
  "aws:lb/loadBalancer:LoadBalancer": ["internal", "securityGroups"],
  "aws:route53/resolverFirewallConfig:ResolverFirewallConfig": [
    ...["resourceId", "firewallFailOpen"],
  ],
  "aws:route53/resolverFirewallDomainList:ResolverFirewallDomainList": [
    "domains",
  ],
  "aws:route53/resolverFirewallRule:ResolverFirewallRule": [
    ...["firewallRuleGroupId", "firewallDomainListId"],
    ...["priority", "action", "blockResponse"],
  ],
  "aws:route53/resolverFirewallRuleGroupAssociation:ResolverFirewallRuleGroupAssociation":
    ["firewallRuleGroupId", "vpcId", "priority", "mutationProtection"],
  "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": groupRule,
  "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": groupRule,
  "aws:s3/bucketPolicy:BucketPolicy": ["bucket", "policy"],
  "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": [
    ...["bucket", "blockPublicAcls", "blockPublicPolicy"],
    ...["ignorePublicAcls", "restrictPublicBuckets"],
  ],
};

export function wallsOf(resources: readonly Resource[]): string {
  const text = resources
    .filter(({ type }) => walls[type])
    .sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
    .flatMap((resource) => {
      const said = (walls[resource.type] ?? []).map((key) =>
        lines(key, resource.inputs[key]),
      );
      const short = said.filter(({ length }) => length === 1).flat();
      const long = said.filter(({ length }) => length > 1).flat();
      return [
        `${nameOf(resource)}: ${short.join(", ")}`.trimEnd(),
        ...long.map((line) => `  ${line}`),
      ];
    })
    .join("\n");
  // What is made anew each time is known by its name.
  const named = resources.reduce(
    (said, resource) =>
      resource.id ? said.replaceAll(resource.id, nameOf(resource)) : said,
    text
      .replaceAll(/-[0-9a-f]{64}\.tar\.gz/g, "-….tar.gz")
      .replaceAll(/-[0-9a-f]{7}\b/g, "-…"),
  );
  return `${named}\n`;
}

/** What fits on its resource's line, or a line for each element of a list. */
function lines(key: string, value: unknown): string[] {
  if (value === undefined) return [];
  if (key === "policy" && typeof value === "string") {
    const { Statement } = JSON.parse(value) as { Statement: unknown[] };
    return lines("may", Statement);
  }
  return Array.isArray(value) && value.length > 0
    ? value.map((element) => `${key} ${plain(element)}`)
    : [`${key} ${plain(value)}`];
}

function plain(value: unknown): string {
  if (typeof value === "string") return value;
  return JSON.stringify(value, (name, inner: unknown) =>
    // What the SDK notes for itself.
    name === "__defaults" ? undefined : inner,
  );
}
