/**
 * The VPC of edges and gateways: dual stack, with a public subnet in each zone;
 * made, or adopted.
 */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { NetworkParts, PlannedNetwork } from "./networks.ts";
import { subnetOf6 } from "./subnets.ts";
import { zoneSubnets } from "./zone-subnets.ts";

export class ServicesNetwork
  extends pulumi.ComponentResource
  implements NetworkParts
{
  readonly vpcId: NetworkParts["vpcId"];
  readonly subnets: NetworkParts["subnets"];
  readonly routeTableIds: NetworkParts["routeTableIds"];

  constructor(
    name: string,
    args: PlannedNetwork,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("daytona-edge:aws:ServicesNetwork", name, {}, opts);
    const { vpcId, subnets, routeTableIds } =
      "cidr" in args.vpc
        ? this.make(name, args.vpc.cidr, args.subnets)
        : args.vpc;
    this.vpcId = vpcId;
    this.subnets = subnets;
    this.routeTableIds = routeTableIds;
    this.registerOutputs({});
  }

  private make(
    name: string,
    cidr: string,
    zones: readonly string[],
  ): NetworkParts {
    const vpc = new aws.ec2.Vpc(
      `${name}-vpc`,
      {
        cidrBlock: cidr,
        assignGeneratedIpv6CidrBlock: true,
        enableDnsHostnames: true,
      },
      { parent: this, protect: true },
    );
    closeDefaultGroup(name, vpc, this);
    const internet = new aws.ec2.InternetGateway(
      `${name}-internet`,
      { vpcId: vpc.id },
      { parent: this },
    );
    const routes = new aws.ec2.RouteTable(
      `${name}-routes`,
      { vpcId: vpc.id },
      { parent: this },
    );
    new aws.ec2.Route(
      `${name}-route`,
      {
        routeTableId: routes.id,
        destinationCidrBlock: "0.0.0.0/0",
        gatewayId: internet.id,
      },
      { parent: this },
    );
    new aws.ec2.Route(
      `${name}-route-v6`,
      {
        routeTableId: routes.id,
        destinationIpv6CidrBlock: "::/0",
        gatewayId: internet.id,
      },
      { parent: this },
    );
    const subnets = zoneSubnets(
      name,
      {
        vpcId: vpc.id,
        routeTableId: routes.id,
        subnets: zones,
        more: (zone) => ({
          ipv6CidrBlock: vpc.ipv6CidrBlock.apply((cidr) =>
            subnetOf6(cidr, zone),
          ),
          assignIpv6AddressOnCreation: true,
        }),
      },
      this,
    );
    return { vpcId: vpc.id, subnets, routeTableIds: [routes.id] };
  }
}

/** What somebody forgets to give a group of its own shall reach nothing. */
export function closeDefaultGroup(
  name: string,
  vpc: aws.ec2.Vpc,
  parent: pulumi.Resource,
): void {
  new aws.ec2.DefaultSecurityGroup(
    `${name}-default-group`,
    { vpcId: vpc.id, ingress: [], egress: [] },
    { parent },
  );
}
