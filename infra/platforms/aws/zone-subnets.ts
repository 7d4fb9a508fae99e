/** A subnet in each zone of a network, all with one route table. */
import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import type { NetworkParts } from "./networks.ts";

export interface ZoneSubnetsArgs {
  readonly vpcId: pulumi.Input<string>;
  readonly routeTableId: pulumi.Input<string>;
  /** Their addresses, one a zone. */
  readonly subnets: readonly string[];
  /** What else is particular to the one of a zone. */
  readonly more: (
    zone: number,
  ) => Omit<aws.ec2.SubnetArgs, "vpcId" | "availabilityZone" | "cidrBlock">;
}

/** @returns one a zone */
export function zoneSubnets(
  name: string,
  args: ZoneSubnetsArgs,
  parent: pulumi.Resource,
): NetworkParts["subnets"] {
  const { names } = aws.getAvailabilityZonesOutput(
    {
      state: "available",
      // Local Zones have no load balancers of this kind.
      filters: [{ name: "opt-in-status", values: ["opt-in-not-required"] }],
    },
    { parent },
  );
  return args.subnets.map((cidrBlock, zone) => {
    const subnet = new aws.ec2.Subnet(
      `${name}-subnet-${String(zone)}`,
      {
        vpcId: args.vpcId,
        availabilityZone: names.apply((all) => zoneOf(all, zone)),
        cidrBlock,
        ...args.more(zone),
      },
      { parent },
    );
    new aws.ec2.RouteTableAssociation(
      `${name}-routes-${String(zone)}`,
      { subnetId: subnet.id, routeTableId: args.routeTableId },
      { parent },
    );
    return subnet;
  });
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
