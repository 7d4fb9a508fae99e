/**
 * The VPC of Daytona's runners: IPv4 only, no way to the internet, and one way
 * out, to the gateway. It is a VPC of its own because private zones and DNS
 * Firewall are a whole VPC's, and nothing closes a VPC's own resolver: here
 * the gateway's machines do not stand, or they would resolve themselves.
 */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { closeDefaultGroup } from "./services-network.ts";
import type { AwsSettings } from "./settings.ts";
import { subnetOf } from "./subnets.ts";
import { zoneSubnets } from "./zone-subnets.ts";

export interface SandboxesNetworkArgs {
  readonly settings: Pick<AwsSettings, "zones" | "services" | "sandboxes">;
  readonly services: {
    readonly vpcId: pulumi.Input<string>;
    readonly routeTableId: pulumi.Input<string>;
  };
}

/** How long the log of refused flows is kept, in days. */
const logDays = 30;

export class SandboxesNetwork extends pulumi.ComponentResource {
  readonly vpcId: pulumi.Output<string>;
  /** For runners; one a zone. */
  readonly subnetIds: readonly pulumi.Output<string>[];
  /** The group that runners belong in. */
  readonly runnerGroupId: pulumi.Output<string>;

  constructor(
    name: string,
    args: SandboxesNetworkArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("daytona-edge:aws:SandboxesNetwork", name, {}, opts);
    const { sandboxes, services, zones } = args.settings;
    const vpc = new aws.ec2.Vpc(
      `${name}-vpc`,
      {
        cidrBlock: sandboxes.cidr,
        enableDnsSupport: true,
        enableDnsHostnames: true,
      },
      { parent: this, protect: true },
    );
    closeDefaultGroup(name, vpc, this);
    const peering = new aws.ec2.VpcPeeringConnection(
      `${name}-peering`,
      {
        vpcId: vpc.id,
        peerVpcId: args.services.vpcId,
        autoAccept: true,
      },
      { parent: this },
    );
    const routes = new aws.ec2.RouteTable(
      `${name}-routes`,
      { vpcId: vpc.id },
      { parent: this },
    );
    new aws.ec2.Route(
      `${name}-to-services`,
      {
        routeTableId: routes.id,
        destinationCidrBlock: services.cidr,
        vpcPeeringConnectionId: peering.id,
      },
      { parent: this },
    );
    new aws.ec2.Route(
      `${name}-from-services`,
      {
        routeTableId: args.services.routeTableId,
        destinationCidrBlock: sandboxes.cidr,
        vpcPeeringConnectionId: peering.id,
      },
      { parent: this },
    );
    const subnets = zoneSubnets(
      name,
      {
        vpcId: vpc.id,
        routeTableId: routes.id,
        zones,
        subnet: (zone) => ({
          cidrBlock: subnetOf(sandboxes.cidr, zone),
          mapPublicIpOnLaunch: false,
        }),
      },
      this,
    );
    this.vpcId = vpc.id;
    this.subnetIds = subnets.map(({ id }) => id);
    this.runnerGroupId = this.runnerGroup(name, vpc, args.settings).id;
    this.secondWall(name, vpc, this.subnetIds, args.settings);
    this.flowLog(name, vpc);
    this.registerOutputs({});
  }

  /** What runners may open, and who may open what on them. */
  private runnerGroup(
    name: string,
    vpc: aws.ec2.Vpc,
    { services, sandboxes }: SandboxesNetworkArgs["settings"],
  ): aws.ec2.SecurityGroup {
    const group = new aws.ec2.SecurityGroup(
      `${name}-runners`,
      {
        vpcId: vpc.id,
        description: "Daytona's runners: they reach the gateway and Daytona.",
      },
      { parent: this },
    );
    for (const port of [80, 443]) {
      new aws.vpc.SecurityGroupEgressRule(
        `${name}-runners-gateway-${String(port)}`,
        {
          securityGroupId: group.id,
          description: "The gateway.",
          cidrIpv4: services.cidr,
          ipProtocol: "tcp",
          fromPort: port,
          toPort: port,
        },
        { parent: this },
      );
    }
    sandboxes.controlPlane.forEach(({ cidr, port }, index) => {
      new aws.vpc.SecurityGroupEgressRule(
        `${name}-runners-daytona-${String(index)}`,
        {
          securityGroupId: group.id,
          description: "Daytona's control plane.",
          cidrIpv4: cidr,
          ipProtocol: "tcp",
          fromPort: port,
          toPort: port,
        },
        { parent: this },
      );
    });
    return group;
  }

  /**
   * Network ACLs hold whatever group a machine is put in. They know no
   * connections: answers come in on the ports that clients use.
   */
  private secondWall(
    name: string,
    vpc: aws.ec2.Vpc,
    subnetIds: readonly pulumi.Output<string>[],
    { services, sandboxes }: SandboxesNetworkArgs["settings"],
  ): void {
    const tcp = (cidrBlock: string, fromPort: number, toPort: number) => ({
      ...{ protocol: "tcp", action: "allow" },
      ...{ cidrBlock, fromPort, toPort },
    });
    const numbered = <Rule>(rules: readonly Rule[]) =>
      rules.map((rule, index) => ({ ...rule, ruleNo: 100 + index }));
    const ofClients = [1024, 65535] as const;
    const inside = {
      ...{ protocol: "-1", action: "allow" },
      ...{ cidrBlock: sandboxes.cidr, fromPort: 0, toPort: 0 },
    };
    const daytona = sandboxes.controlPlane;
    new aws.ec2.NetworkAcl(
      `${name}-wall`,
      {
        vpcId: vpc.id,
        subnetIds: [...subnetIds],
        egress: numbered([
          inside,
          tcp(services.cidr, 80, 80),
          tcp(services.cidr, 443, 443),
          // Edges ask sandboxes; these are the answers.
          tcp(services.cidr, ...ofClients),
          ...daytona.map(({ cidr, port }) => tcp(cidr, port, port)),
        ]),
        ingress: numbered([
          inside,
          tcp(services.cidr, 1, 65535),
          ...daytona.map(({ cidr }) => tcp(cidr, ...ofClients)),
        ]),
      },
      { parent: this },
    );
  }

  /** What was refused, and who wanted it. */
  private flowLog(name: string, vpc: aws.ec2.Vpc): void {
    const log = new aws.cloudwatch.LogGroup(
      `${name}-flows`,
      { retentionInDays: logDays },
      { parent: this },
    );
    const role = new aws.iam.Role(
      `${name}-flows-role`,
      {
        assumeRolePolicy: aws.iam.assumeRolePolicyForPrincipal({
          Service: "vpc-flow-logs.amazonaws.com",
        }),
      },
      { parent: this },
    );
    new aws.iam.RolePolicy(
      `${name}-flows-policy`,
      {
        role: role.id,
        policy: aws.iam.getPolicyDocumentOutput(
          {
            statements: [
              {
                actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
                resources: [pulumi.interpolate`${log.arn}:*`],
              },
              {
                actions: ["logs:DescribeLogStreams"],
                resources: [log.arn],
              },
            ],
          },
          { parent: this },
        ).json,
      },
      { parent: this },
    );
    new aws.ec2.FlowLog(
      `${name}-flow-log`,
      {
        vpcId: vpc.id,
        trafficType: "REJECT",
        logDestination: log.arn,
        iamRoleArn: role.arn,
        maxAggregationInterval: 60,
      },
      { parent: this },
    );
  }
}
