/** The sandboxes' VPC, made or adopted, and what stands in it. */
import {
  type Names,
  type PlannedResource,
  fieldsOf,
  listOf,
  ofType,
  ownedBy,
  textsOf,
  typesOf,
} from "./resources.ts";
import { groupTypes } from "./security-groups.ts";

export interface SandboxesVpc {
  readonly vpcs: readonly Part[];
  readonly subnets: readonly Part[];
  readonly routeTables: readonly Part[];
  readonly groups: readonly PlannedResource[];
  readonly networkAcls: readonly PlannedResource[];
  /** Internet gateways and NAT gateways. */
  readonly gateways: readonly PlannedResource[];
}

/** What is made by a resource of its own, or adopted by the component. */
export interface Part {
  /** What others refer to it by: its URN, or its id when it is adopted. */
  readonly name: string;
  /** Whoever is to blame for it. */
  readonly by: PlannedResource;
}

/** The VPC has no tag or name to know it by, but it has its component. */
const component = "daytona-edge:aws:SandboxesNetwork";

export function sandboxesVpc(
  resources: readonly PlannedResource[],
): SandboxesVpc {
  const adopted = ofType(resources, component).map((by) => ({
    by,
    ids: fieldsOf({ ...by.inputs, ...by.outputs }.adopted),
  }));
  const adoptedBy = (
    idsOf: (ids: Readonly<Record<string, unknown>>) => unknown,
  ) =>
    adopted.flatMap(({ by, ids }) =>
      textsOf(idsOf(ids)).map((name) => ({ name, by })),
    );
  const vpcs = [
    ...ofType(resources, "aws:ec2/vpc:Vpc")
      .filter((vpc) => typesOf(vpc).includes(component))
      .map(made),
    ...adoptedBy(({ vpcId }) => vpcId),
  ];
  const names = namesOf(vpcs);
  const inVpc = (...types: string[]) =>
    ownedBy(ofType(resources, ...types), "vpcId", names);
  // What AWS makes with the VPC, and the stack takes over.
  const ofVpc = (type: string, property: string) =>
    ownedBy(ofType(resources, type), property, names);
  const subnets = [
    ...inVpc("aws:ec2/subnet:Subnet").map(made),
    ...adoptedBy(({ subnets }) =>
      listOf(subnets).map((subnet) => fieldsOf(subnet).id),
    ),
  ];
  return {
    vpcs,
    subnets,
    groups: inVpc(...groupTypes),
    routeTables: [
      ...[
        ...inVpc("aws:ec2/routeTable:RouteTable"),
        ...ofVpc(
          "aws:ec2/defaultRouteTable:DefaultRouteTable",
          "defaultRouteTableId",
        ),
      ].map(made),
      ...adoptedBy(({ routeTableIds }) => routeTableIds),
    ],
    networkAcls: [
      ...inVpc("aws:ec2/networkAcl:NetworkAcl"),
      ...ofVpc(
        "aws:ec2/defaultNetworkAcl:DefaultNetworkAcl",
        "defaultNetworkAclId",
      ),
    ],
    gateways: [
      ...inVpc(
        "aws:ec2/internetGateway:InternetGateway",
        "aws:ec2/internetGatewayAttachment:InternetGatewayAttachment",
        "aws:ec2/egressOnlyInternetGateway:EgressOnlyInternetGateway",
      ),
      ...ownedBy(
        ofType(resources, "aws:ec2/natGateway:NatGateway"),
        "subnetId",
        namesOf(subnets),
      ),
    ],
  };
}

export function namesOf(parts: readonly Part[]): Names {
  return new Set(parts.map(({ name }) => name));
}

/** How a report calls it, under the URN of whoever is to blame. */
export function called({ name, by }: Part): string {
  return name === by.urn ? "It" : name;
}

function made(resource: PlannedResource): Part {
  return { name: resource.urn, by: resource };
}
