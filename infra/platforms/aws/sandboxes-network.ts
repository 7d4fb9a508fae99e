/**
 * The VPC of Daytona's runners, made or adopted: IPv4 only, no way to the internet, and one way
 * out, to the gateway. It is a VPC of its own because private zones and DNS
 * Firewall are a whole VPC's, and nothing closes a VPC's own resolver: here
 * the gateway's machines do not stand, or they would resolve themselves.
 */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { tcp } from "./security-group-rules.ts";
import { serviceTrust } from "./service-trust.ts";
import { nth } from "./names.ts";
import type { NetworkParts, Networks } from "./networks.ts";
import type { AwsSettings } from "./settings.ts";
import { makeVpc } from "./vpc.ts";

export interface SandboxesNetworkArgs {
  readonly settings: Pick<AwsSettings, "sandboxes">;
  readonly networks: Networks;
  readonly services: {
    readonly vpcId: pulumi.Input<string>;
    readonly routeTableIds: readonly pulumi.Input<string>[];
  };
}

/** How long the log of refused flows is kept, in days. */
const logDays = 30;

export class SandboxesNetwork extends pulumi.ComponentResource {
  readonly vpcId: pulumi.Input<string>;
  /** For runners; one a zone. */
  readonly subnetIds: readonly pulumi.Input<string>[];
  /** The group that runners belong in. */
  readonly runnerGroupId: pulumi.Output<string>;

  constructor(
    name: string,
    args: SandboxesNetworkArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("daytona-edge:aws:SandboxesNetwork", name, {}, opts);
    const { sandboxes } = args.networks;
    const adopted = "cidr" in sandboxes.vpc ? undefined : sandboxes.vpc;
    const parts =
      "cidr" in sandboxes.vpc
        ? makeVpc(
            name,
            {
              cidr: sandboxes.vpc.cidr,
              subnets: sandboxes.subnets,
              more: { enableDnsSupport: true },
              ofSubnet: () => ({ mapPublicIpOnLaunch: false }),
            },
            this,
          )
        : sandboxes.vpc;
    this.vpcId = parts.vpcId;
    this.subnetIds = parts.subnets.map(({ id }) => id);
    this.peer(name, args, parts);
    this.runnerGroupId = this.runnerGroup(name, args).id;
    this.secondWall(name, args);
    this.flowLog(name);
    // By which policies know what stands in it.
    this.registerOutputs({ adopted });
  }

  /** The one road between the networks, both ways. */
  private peer(
    name: string,
    { networks, services }: SandboxesNetworkArgs,
    { vpcId, routeTableIds }: NetworkParts,
  ): void {
    const peering = new aws.ec2.VpcPeeringConnection(
      `${name}-peering`,
      {
        vpcId,
        peerVpcId: services.vpcId,
        autoAccept: true,
      },
      { parent: this },
    );
    for (const [whither, tables, cidrs] of [
      [`${name}-to-services`, routeTableIds, networks.services.cidrs],
      [
        `${name}-from-services`,
        services.routeTableIds,
        networks.sandboxes.cidrs,
      ],
    ] as const) {
      tables
        .flatMap((table) => cidrs.map((cidr) => ({ table, cidr })))
        .forEach(({ table, cidr }, index) => {
          new aws.ec2.Route(
            nth(whither, index),
            {
              routeTableId: table,
              destinationCidrBlock: cidr,
              vpcPeeringConnectionId: peering.id,
            },
            { parent: this },
          );
        });
    }
  }

  /** What runners may open, and who may open what on them. */
  private runnerGroup(
    name: string,
    { networks, settings }: SandboxesNetworkArgs,
  ): aws.ec2.SecurityGroup {
    const group = new aws.ec2.SecurityGroup(
      `${name}-runners`,
      {
        vpcId: this.vpcId,
        description: "Runners: they reach the gateway and Daytona.",
      },
      { parent: this },
    );
    for (const port of [80, 443]) {
      networks.services.cidrs.forEach((cidr, index) => {
        new aws.vpc.SecurityGroupEgressRule(
          nth(`${name}-runners-gateway-${String(port)}`, index),
          {
            securityGroupId: group.id,
            description: "The gateway.",
            cidrIpv4: cidr,
            ...tcp(port),
          },
          { parent: this },
        );
      });
    }
    settings.sandboxes.controlPlane.forEach(({ cidr, port }, index) => {
      new aws.vpc.SecurityGroupEgressRule(
        `${name}-runners-daytona-${String(index)}`,
        {
          securityGroupId: group.id,
          description: "The control plane of Daytona.",
          cidrIpv4: cidr,
          ...tcp(port),
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
    { networks, settings }: SandboxesNetworkArgs,
  ): void {
    const allowed = (cidrBlock: string, fromPort: number, toPort: number) => ({
      ...{ protocol: "tcp", action: "allow" },
      ...{ cidrBlock, fromPort, toPort },
    });
    const numbered = <Rule>(rules: readonly Rule[]) =>
      rules.map((rule, index) => ({ ...rule, ruleNo: 100 + index }));
    const ofClients = [1024, 65535] as const;
    const inside = networks.sandboxes.cidrs.map((cidrBlock) => ({
      ...{ protocol: "-1", action: "allow" },
      ...{ cidrBlock, fromPort: 0, toPort: 0 },
    }));
    const services = networks.services.cidrs;
    const daytona = settings.sandboxes.controlPlane;
    new aws.ec2.NetworkAcl(
      `${name}-wall`,
      {
        vpcId: this.vpcId,
        subnetIds: [...this.subnetIds],
        egress: numbered([
          ...inside,
          ...services.map((cidr) => allowed(cidr, 80, 80)),
          ...services.map((cidr) => allowed(cidr, 443, 443)),
          // Edges ask sandboxes; these are the answers.
          ...services.map((cidr) => allowed(cidr, ...ofClients)),
          ...daytona.map(({ cidr, port }) => allowed(cidr, port, port)),
        ]),
        ingress: numbered([
          ...inside,
          ...services.map((cidr) => allowed(cidr, 1, 65535)),
          ...daytona.map(({ cidr }) => allowed(cidr, ...ofClients)),
        ]),
      },
      { parent: this },
    );
  }

  /** What was refused, and who wanted it. */
  private flowLog(name: string): void {
    const log = new aws.cloudwatch.LogGroup(
      `${name}-flows`,
      { retentionInDays: logDays },
      { parent: this },
    );
    const role = new aws.iam.Role(
      `${name}-flows-role`,
      {
        assumeRolePolicy: serviceTrust("vpc-flow-logs.amazonaws.com", {
          parent: this,
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
        vpcId: this.vpcId,
        trafficType: "REJECT",
        logDestination: log.arn,
        iamRoleArn: role.arn,
        maxAggregationInterval: 60,
      },
      { parent: this },
    );
  }
}
