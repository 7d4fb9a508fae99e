/** The sandboxes' VPC, and what stands in it. */
import { ofType, ownedBy, typesOf, urnsOf } from "./graph.ts";
import type { PlannedResource } from "./policy.ts";
import { groupTypes } from "./security-group-rules.ts";

export interface SandboxesVpc {
  readonly vpcs: readonly PlannedResource[];
  readonly subnets: readonly PlannedResource[];
  readonly groups: readonly PlannedResource[];
  readonly routeTables: readonly PlannedResource[];
  readonly networkAcls: readonly PlannedResource[];
  /** Internet gateways and NAT gateways. */
  readonly gateways: readonly PlannedResource[];
}

/** The VPC has no tag or name to know it by, but it has its component. */
const component = "daytona-edge:aws:SandboxesNetwork";

export function sandboxesVpc(
  resources: readonly PlannedResource[],
): SandboxesVpc {
  const own = ofType(resources, "aws:ec2/vpc:Vpc").filter((vpc) =>
    typesOf(vpc).includes(component),
  );
  const vpcs = urnsOf(own);
  const inVpc = (...types: string[]) =>
    ownedBy(ofType(resources, ...types), "vpcId", vpcs);
  // What AWS makes with the VPC, and the stack takes over.
  const ofVpc = (type: string, property: string) =>
    ownedBy(ofType(resources, type), property, vpcs);
  const subnets = inVpc("aws:ec2/subnet:Subnet");
  return {
    vpcs: own,
    subnets,
    groups: inVpc(...groupTypes),
    routeTables: [
      ...inVpc("aws:ec2/routeTable:RouteTable"),
      ...ofVpc(
        "aws:ec2/defaultRouteTable:DefaultRouteTable",
        "defaultRouteTableId",
      ),
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
        urnsOf(subnets),
      ),
    ],
  };
}
