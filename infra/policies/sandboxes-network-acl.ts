import { ofType, ownedBy, refersTo, urnsOf } from "./graph.ts";
import { isOpen } from "./networks.ts";
import type { PlannedResource, StackPolicy } from "./policy.ts";
import { called, sandboxesVpc } from "./sandboxes-vpc.ts";
import { type Fields, fieldsOf, isTrue, listOf, textsOf } from "./values.ts";

/** A subnet that no ACL is said for has AWS' default one, which lets everything out. */
export const sandboxesNetworkAcl: StackPolicy = {
  name: "sandboxes-network-acl",
  description:
    "Every subnet of the sandboxes is behind a network ACL that lets nothing out to the internet.",
  judgeStack: (resources) => {
    const { subnets, networkAcls } = sandboxesVpc(resources);
    const entries = [
      ...networkAcls.flatMap((acl) =>
        listOf(acl.inputs.egress).map((entry) => ({
          ...{ urn: acl.urn, entry: fieldsOf(entry) },
        })),
      ),
      ...ownedBy(
        ofType(resources, "aws:ec2/networkAclRule:NetworkAclRule"),
        "networkAclId",
        urnsOf(networkAcls),
      )
        .filter(({ inputs }) => isTrue(inputs.egress))
        .map(({ urn, inputs }) => ({ urn, entry: inputs })),
    ];
    const walls = [
      ...networkAcls,
      ...ofType(
        resources,
        "aws:ec2/networkAclAssociation:NetworkAclAssociation",
      ),
    ];
    return [
      ...entries.flatMap(({ urn, entry }) =>
        openNetworks(entry).map((network) => ({
          urn,
          text: `It lets everything out to ${network}; name the gateway's or Daytona's network.`,
        })),
      ),
      ...subnets
        .filter((subnet) => !walls.some((wall) => covers(wall, subnet.name)))
        .map((subnet) => ({
          urn: subnet.by.urn,
          text: `${called(subnet)} has no network ACL of its own; add it to subnetIds of the sandboxes' ACL.`,
        })),
    ];
  },
};

function openNetworks(entry: Fields): string[] {
  if ((entry.action ?? entry.ruleAction) !== "allow") return [];
  return [...textsOf(entry.cidrBlock), ...textsOf(entry.ipv6CidrBlock)].filter(
    isOpen,
  );
}

function covers(wall: PlannedResource, subnet: string): boolean {
  const one = new Set([subnet]);
  return refersTo(wall, "subnetIds", one) || refersTo(wall, "subnetId", one);
}
