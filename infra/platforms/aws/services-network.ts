/**
 * The VPC of edges and gateways: dual stack, with a public subnet in each zone;
 * made, or adopted.
 */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { NetworkParts, PlannedNetwork } from "./networks.ts";
import { subnetOf6 } from "./subnets.ts";
import { makeVpc } from "./vpc.ts";

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
    subnets: readonly string[],
  ): NetworkParts {
    const made = makeVpc(
      name,
      {
        cidr,
        subnets,
        more: { assignGeneratedIpv6CidrBlock: true },
        ofSubnet: (vpc, zone) => ({
          ipv6CidrBlock: vpc.ipv6CidrBlock.apply((cidr) =>
            subnetOf6(cidr, zone),
          ),
          assignIpv6AddressOnCreation: true,
        }),
      },
      this,
    );
    const internet = new aws.ec2.InternetGateway(
      `${name}-internet`,
      { vpcId: made.vpcId },
      { parent: this },
    );
    const out = { routeTableId: made.routeTable.id, gatewayId: internet.id };
    new aws.ec2.Route(
      `${name}-route`,
      { ...out, destinationCidrBlock: "0.0.0.0/0" },
      { parent: this },
    );
    new aws.ec2.Route(
      `${name}-route-v6`,
      { ...out, destinationIpv6CidrBlock: "::/0" },
      { parent: this },
    );
    return made;
  }
}
