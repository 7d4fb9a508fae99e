/** Rules of security groups, in every way that AWS' provider lets them be written. */
import type { PlannedResource } from "./policy.ts";
import { type Fields, fieldsOf, listOf, textsOf } from "./values.ts";

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
