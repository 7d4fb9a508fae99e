import { ofType, refersTo } from "./graph.ts";
import type { StackPolicy } from "./policy.ts";
import { called, sandboxesVpc } from "./sandboxes-vpc.ts";

const association =
  "aws:route53/resolverFirewallRuleGroupAssociation:ResolverFirewallRuleGroupAssociation";
const configuration =
  "aws:route53/resolverFirewallConfig:ResolverFirewallConfig";

/** A name that leaves is data that leaves, and no group or ACL filters AWS' resolver. */
export const sandboxesNames: StackPolicy = {
  name: "sandboxes-names",
  description:
    "The sandboxes' network is behind a DNS Firewall that fails closed.",
  judgeStack: (resources) =>
    sandboxesVpc(resources).vpcs.flatMap((vpc) => {
      const own = new Set([vpc.name]);
      const isBehind = ofType(resources, association).some((it) =>
        refersTo(it, "vpcId", own),
      );
      const failsClosed = ofType(resources, configuration).some(
        (it) =>
          refersTo(it, "resourceId", own) &&
          it.inputs.firewallFailOpen === "DISABLED",
      );
      return [
        ...(isBehind
          ? []
          : [
              `${called(vpc)} has no DNS Firewall that looks at its questions; associate a rule group.`,
            ]),
        ...(failsClosed
          ? []
          : [
              `${called(vpc)} has a DNS Firewall that may fail open; add a ResolverFirewallConfig with firewallFailOpen DISABLED.`,
            ]),
      ].map((text) => ({ urn: vpc.by.urn, text }));
    }),
};
