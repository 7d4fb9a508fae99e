/** A VPC with a subnet in each zone, all with one route table. */
import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import type { NetworkParts } from "./networks.ts";

export interface VpcArgs {
  readonly cidr: string;
  /** Addresses of its subnets, one a zone. */
  readonly subnets: readonly string[];
  /** What else is particular to it. */
  readonly more: Omit<aws.ec2.VpcArgs, "cidrBlock" | "enableDnsHostnames">;
  /** What else is particular to the subnet of a zone. */
  readonly ofSubnet: (
    vpc: aws.ec2.Vpc,
    zone: number,
  ) => Omit<aws.ec2.SubnetArgs, "vpcId" | "availabilityZone" | "cidrBlock">;
}

export function makeVpc(
  name: string,
  args: VpcArgs,
  parent: pulumi.Resource,
): NetworkParts & { readonly routeTable: aws.ec2.RouteTable } {
  const vpc = new aws.ec2.Vpc(
    `${name}-vpc`,
    { cidrBlock: args.cidr, enableDnsHostnames: true, ...args.more },
    { parent, protect: true },
  );
  // What somebody forgets to give a group of its own shall reach nothing.
  new aws.ec2.DefaultSecurityGroup(
    `${name}-default-group`,
    { vpcId: vpc.id, ingress: [], egress: [] },
    { parent },
  );
  const routeTable = new aws.ec2.RouteTable(
    `${name}-routes`,
    { vpcId: vpc.id },
    { parent },
  );
  const { names } = aws.getAvailabilityZonesOutput(
    {
      state: "available",
      // Local Zones have no load balancers of this kind.
      filters: [{ name: "opt-in-status", values: ["opt-in-not-required"] }],
    },
    { parent },
  );
  const subnets = args.subnets.map((cidrBlock, zone) => {
    const subnet = new aws.ec2.Subnet(
      `${name}-subnet-${String(zone)}`,
      {
        vpcId: vpc.id,
        availabilityZone: names.apply((all) => zoneOf(all, zone)),
        cidrBlock,
        ...args.ofSubnet(vpc, zone),
      },
      { parent },
    );
    new aws.ec2.RouteTableAssociation(
      `${name}-routes-${String(zone)}`,
      { subnetId: subnet.id, routeTableId: routeTable.id },
      { parent },
    );
    return subnet;
  });
  return { vpcId: vpc.id, subnets, routeTableIds: [routeTable.id], routeTable };
}

/** @throws Error when the region has no such zone */
function zoneOf(names: readonly string[], zone: number): string {
  const found = names[zone];
  if (found === undefined) {
    throw new Error(
      `daytona-edge:aws.zones: the region has ${String(names.length)} zones; ask for that many at most, or for another region`,
    );
  }
  return found;
}
