import { ofType, ownedBy } from "./graph.ts";
import { isOpen } from "./networks.ts";
import type { PlannedResource, StackPolicy } from "./policy.ts";
import { namesOf, sandboxesVpc } from "./sandboxes-vpc.ts";
import { type Fields, fieldsOf, isSet, listOf, textsOf } from "./values.ts";

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
