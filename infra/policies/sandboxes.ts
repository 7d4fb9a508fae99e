/** The sandboxes' network has one way out, the gateway. */
import {
  type Fields,
  type PlannedResource,
  type StackPolicy,
  type Violation,
  fieldsOf,
  isSet,
  isTrue,
  listOf,
  ofType,
  ownedBy,
  refersAnyhowTo,
  refersTo,
  textsOf,
  urnsOf,
} from "./resources.ts";
import { called, namesOf, sandboxesVpc } from "./sandboxes-vpc.ts";
import { isOpen, rulesOf } from "./security-groups.ts";

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

const givenBySubnets = ["mapPublicIpOnLaunch", "assignIpv6AddressOnCreation"];
const machineTypes = [
  "aws:ec2/instance:Instance",
  "aws:ec2/launchTemplate:LaunchTemplate",
];

export const sandboxesPublicAddresses: StackPolicy = {
  name: "sandboxes-public-addresses",
  description: "No machine of the sandboxes has a public address.",
  judgeStack: (resources) => {
    const { subnets, groups } = sandboxesVpc(resources);
    const inside = new Set([...namesOf(subnets), ...urnsOf(groups)]);
    const machines = ofType(resources, ...machineTypes).filter((machine) =>
      refersAnyhowTo(machine, inside),
    );
    return [
      // What an adopted one gives was looked at before it was.
      ...subnets.flatMap(({ by: { urn, inputs } }) =>
        givenBySubnets
          .filter((property) => isTrue(inputs[property]))
          .map((property) => on(urn, property)),
      ),
      ...machines.flatMap(({ urn, inputs }) =>
        [inputs, ...listOf(inputs.networkInterfaces).map(fieldsOf)]
          .filter((fields) => isTrue(fields.associatePublicIpAddress))
          .map(() => on(urn, "associatePublicIpAddress")),
      ),
    ];
  },
};

function on(urn: string, property: string): Violation {
  return { urn, text: `${property} is on; switch it off.` };
}

/** Ways that end, or may end, on the internet. A machine's interface can be a NAT. */
const waysOut = [
  "gatewayId",
  "natGatewayId",
  "egressOnlyGatewayId",
  "carrierGatewayId",
  "transitGatewayId",
  "networkInterfaceId",
];
const destinations = [
  "cidrBlock",
  "ipv6CidrBlock",
  "destinationCidrBlock",
  "destinationIpv6CidrBlock",
];

/** What has no way is safer than what is refused on it. */
export const sandboxesRoutes: StackPolicy = {
  name: "sandboxes-routes",
  description: "No route leads from the sandboxes' network to the internet.",
  judgeStack: (resources) => {
    const { routeTables, gateways } = sandboxesVpc(resources);
    const routes = ownedBy(
      ofType(resources, "aws:ec2/route:Route"),
      "routeTableId",
      namesOf(routeTables),
    );
    return [
      ...gateways.map(({ urn }) => ({
        urn,
        text: "It stands in the sandboxes' VPC, whose one way out is the gateway; remove it.",
      })),
      ...routes.flatMap((route) => wrong(route, [whole(route)])),
      ...routeTables.flatMap(({ by }) =>
        wrong(by, listOf(by.inputs.routes).map(fieldsOf)),
      ),
    ];
  },
};

function wrong({ urn }: PlannedResource, routes: readonly Fields[]) {
  return routes
    .flatMap((route) => [
      ...waysOut
        .filter((way) => isSet(route[way]) && route[way] !== "local")
        .map((way) => `It leads out by ${way}`),
      ...destinations
        .flatMap((name) => textsOf(route[name]))
        .filter(isOpen)
        .map((network) => `It leads to ${network}`),
    ])
    .map((text) => ({ urn, text: `${text}; sandboxes need no such route.` }));
}

/** A way that is not made yet has no id, but the route depends on it. */
function whole({ inputs, propertyDependencies = {} }: PlannedResource): Fields {
  const planned = Object.entries(propertyDependencies)
    .filter(([name, urns]) => urns.length > 0 && !isSet(inputs[name]))
    .map(([name]) => [name, "not known yet"]);
  return { ...inputs, ...(Object.fromEntries(planned) as Fields) };
}
