import { refersTo } from "./graph.ts";
import { isOpen } from "./networks.ts";
import type { PlannedResource, StackPolicy } from "./policy.ts";
import { type GroupRule, groupTypes, rulesOf } from "./security-group-rules.ts";

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
