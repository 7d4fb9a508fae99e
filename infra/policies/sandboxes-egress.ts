import { refersTo, urnsOf } from "./graph.ts";
import { isOpen } from "./networks.ts";
import type { StackPolicy } from "./policy.ts";
import { sandboxesVpc } from "./sandboxes-vpc.ts";
import { rulesOf } from "./security-group-rules.ts";

export const sandboxesEgress: StackPolicy = {
  name: "sandboxes-egress",
  description: "No security group lets sandboxes out to the internet.",
  judgeStack: (resources) => {
    const groups = urnsOf(sandboxesVpc(resources).groups);
    return resources
      .filter(
        (resource) =>
          groups.has(resource.urn) ||
          refersTo(resource, "securityGroupId", groups),
      )
      .flatMap((resource) =>
        rulesOf(resource, "egress")
          .flatMap(({ networks }) => networks)
          .filter(isOpen)
          .map((network) => ({
            urn: resource.urn,
            text: `Sandboxes may open connections to ${network}; name the gateway's or Daytona's network.`,
          })),
      );
  },
};
