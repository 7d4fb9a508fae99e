/** The VPC of edges and gateways: dual stack, with a public subnet in each zone. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { AwsSettings } from "./settings.ts";
import { subnetOf, subnetOf6 } from "./subnets.ts";

export class ServicesNetwork extends pulumi.ComponentResource {
  readonly vpcId: pulumi.Output<string>;
  /** One a zone. */
  readonly subnets: readonly aws.ec2.Subnet[];
  readonly routeTableId: pulumi.Output<string>;

  constructor(
    name: string,
    args: Pick<AwsSettings, "zones" | "services">,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("daytona-edge:aws:ServicesNetwork", name, {}, opts);
    const vpc = new aws.ec2.Vpc(
      `${name}-vpc`,
      {
        cidrBlock: args.services.cidr,
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
    const { names } = aws.getAvailabilityZonesOutput(
      {
        state: "available",
        // Local Zones have no load balancers of this kind.
        filters: [{ name: "opt-in-status", values: ["opt-in-not-required"] }],
      },
      { parent: this },
    );
    this.subnets = Array.from({ length: args.zones }, (_, zone) => {
      const subnet = new aws.ec2.Subnet(
        `${name}-subnet-${String(zone)}`,
        {
          vpcId: vpc.id,
          availabilityZone: names.apply((all) => zoneOf(all, zone)),
          cidrBlock: subnetOf(args.services.cidr, zone),
          ipv6CidrBlock: vpc.ipv6CidrBlock.apply((cidr) =>
            subnetOf6(cidr, zone),
          ),
          assignIpv6AddressOnCreation: true,
        },
        { parent: this },
      );
      new aws.ec2.RouteTableAssociation(
        `${name}-routes-${String(zone)}`,
        { subnetId: subnet.id, routeTableId: routes.id },
        { parent: this },
      );
      return subnet;
    });
    this.vpcId = vpc.id;
    this.routeTableId = routes.id;
    this.registerOutputs({});
  }
}

/** @throws Error when the region has no such zone */
export function zoneOf(names: readonly string[], zone: number): string {
  const found = names[zone];
  if (found === undefined) {
    throw new Error(
      `daytona-edge:aws.zones: the region has ${String(names.length)} zones; ask for that many at most, or for another region`,
    );
  }
  return found;
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
