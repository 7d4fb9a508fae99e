/** The VPC of edges and gateways: dual stack, with a public subnet in each zone. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { AwsSettings } from "./settings.ts";
import { subnetOf, subnetOf6 } from "./subnets.ts";
import { zoneSubnets } from "./zone-subnets.ts";

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
    this.subnets = zoneSubnets(
      name,
      {
        vpcId: vpc.id,
        routeTableId: routes.id,
        zones: args.zones,
        subnet: (zone) => ({
          cidrBlock: subnetOf(args.services.cidr, zone),
          ipv6CidrBlock: vpc.ipv6CidrBlock.apply((cidr) =>
            subnetOf6(cidr, zone),
          ),
          assignIpv6AddressOnCreation: true,
        }),
      },
      this,
    );
    this.vpcId = vpc.id;
    this.routeTableId = routes.id;
    this.registerOutputs({});
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
