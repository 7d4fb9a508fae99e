/** Rules of security groups, in every way that AWS' provider lets them be written. */
import {
  type Fields,
  type PlannedResource,
  type StackPolicy,
  fieldsOf,
  listOf,
  refersTo,
  textsOf,
} from "./resources.ts";

export type Direction = "ingress" | "egress";

export interface GroupRule {
  /** URNs of the group that it is a rule of. */
  readonly groups: readonly string[];
  readonly protocol: unknown;
  readonly fromPort: unknown;
  readonly toPort: unknown;
  readonly networks: readonly string[];
}

export const groupTypes = [
  "aws:ec2/securityGroup:SecurityGroup",
  "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
] as const;

const ruleTypes = {
  ingress: "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
  egress: "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
} as const;
const olderRuleType = "aws:ec2/securityGroupRule:SecurityGroupRule";

/** The rules of one direction that a resource is or holds. */
export function rulesOf(
  { urn, type, inputs, propertyDependencies }: PlannedResource,
  direction: Direction,
): GroupRule[] {
  const groups = propertyDependencies?.securityGroupId ?? [];
  if (type === ruleTypes[direction]) {
    return [rule(groups, inputs, inputs.ipProtocol)];
  }
  if (type === olderRuleType && inputs.type === direction) {
    return [rule(groups, inputs, inputs.protocol)];
  }
  if (groupTypes.some((groupType) => groupType === type)) {
    return listOf(inputs[direction])
      .map(fieldsOf)
      .map((inline) => rule([urn], inline, inline.protocol));
  }
  return [];
}

function rule(
  groups: readonly string[],
  { fromPort, toPort, ...fields }: Fields,
  protocol: unknown,
): GroupRule {
  const networks = [
    "cidrIpv4",
    "cidrIpv6",
    "cidrBlocks",
    "ipv6CidrBlocks",
  ].flatMap((name) => textsOf(fields[name]));
  return { groups, protocol, fromPort, toPort, networks };
}

/**
 * Whether a network takes in the internet: it is wider than any private one
 * (10.0.0.0/8, fc00::/7). So halves of everything count as everything.
 * @param cidr for example `0.0.0.0/0`
 */
export function isOpen(cidr: string): boolean {
  const [network = "", prefix = ""] = cidr.split("/");
  if (!/^\d+$/.test(prefix)) return false;
  return Number(prefix) < (network.includes(":") ? 7 : 8);
}

const balancerType = "aws:lb/loadBalancer:LoadBalancer";
const publicPorts: readonly unknown[] = [80, 443];

/** Where resources say which groups they are in. */
const memberships = [
  "securityGroups",
  "securityGroupIds",
  "vpcSecurityGroupIds",
  "networkInterfaces",
  "vpcConfig",
];

/**
 * The front door's group is known by what it guards, not by a name: a load
 * balancer that faces the internet is in it, and nothing else is. A machine in
 * it would be open to everybody too.
 */
export const openIngress: StackPolicy = {
  name: "open-ingress",
  description:
    "The internet comes in by the load balancer alone, on TCP 80 and 443.",
  judgeStack: (resources) =>
    resources.flatMap((resource) =>
      rulesOf(resource, "ingress").flatMap((rule) =>
        rule.networks
          .filter(isOpen)
          .filter(() => !isDoor(rule, resources))
          .map((network) => ({
            urn: resource.urn,
            text: `${network} may come in on ${portsOf(rule)}; name the group or network that needs it.`,
          })),
      ),
    ),
};

function isDoor(
  { groups, protocol, fromPort, toPort }: GroupRule,
  resources: readonly PlannedResource[],
): boolean {
  if (protocol !== "tcp" || fromPort !== toPort) return false;
  if (!publicPorts.includes(fromPort) || groups.length === 0) return false;
  return groups.every((group) => {
    const members = resources.filter(
      (resource) =>
        !groupTypes.some((type) => type === resource.type) &&
        memberships.some((property) =>
          refersTo(resource, property, new Set([group])),
        ),
    );
    return (
      members.length > 0 &&
      members.every(
        ({ type, inputs }) => type === balancerType && inputs.internal !== true,
      )
    );
  });
}

function portsOf({ protocol, fromPort, toPort }: GroupRule): string {
  const range = [fromPort, toPort].filter((port) => typeof port === "number");
  const ports = [...new Set(range)].join(" to ");
  return `${ports || "every port"} (protocol ${String(protocol)})`;
}
