/**
 * The road out on AWS: gateways behind a balancer that the sandboxes' network
 * alone reaches.
 */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { balancedPorts } from "./balanced-ports.ts";
import type { HealthAlarmArgs } from "./health-alarm.ts";
import { MachineGroup, type MachinesArgs } from "./machine-group.ts";
import { nth } from "./names.ts";
import type { Networks } from "./networks.ts";
import { publicAddresses } from "./public-addresses.ts";
import { doorToMachines, tcp, udp } from "./security-group-rules.ts";

export interface GatewayArgs extends MachinesArgs {
  readonly networks: Networks;
}

/** Ports that sandboxes reach. */
const ports = [443, 80] as const;

/** How long a gateway that goes keeps its streams, in seconds. */
export const gatewayDrainSeconds = 900;

export class Gateway extends pulumi.ComponentResource {
  readonly balancer: Pick<aws.lb.LoadBalancer, "dnsName" | "zoneId">;
  /** What the world sees sandboxes come from. */
  readonly publicAddresses: readonly pulumi.Output<string>[];
  /** As figures name the balancer, and its machines. */
  readonly figures: HealthAlarmArgs["targets"];

  constructor(
    name: string,
    args: GatewayArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("daytona-edge:aws:Gateway", name, {}, opts);
    const { network, settings } = args;
    const door = new aws.ec2.SecurityGroup(
      `${name}-door-group`,
      {
        vpcId: network.vpcId,
        description: "The door of the gateways: from sandboxes, two ports.",
      },
      { parent: this },
    );
    const balancer = new aws.lb.LoadBalancer(
      `${name}-balancer`,
      {
        loadBalancerType: "network",
        internal: true,
        ipAddressType: "ipv4",
        securityGroups: [door.id],
        subnets: network.subnets.map(({ id }) => id),
        enableCrossZoneLoadBalancing: true,
      },
      { parent: this },
    );
    const { targetGroupArns, figures } = balancedPorts(
      name,
      {
        vpcId: network.vpcId,
        balancer,
        ports,
        // Denials name the runner.
        client: { preserveClientIp: "true" },
      },
      this,
    );
    const addresses = publicAddresses(
      `${name}-address`,
      settings.gateway,
      this,
    );
    const machines = this.machinesGroup(name, args, door);
    new MachineGroup(
      `${name}-machines`,
      {
        ...args,
        machines: settings.gateway,
        subnetIds: network.subnets.map(({ id }) => id),
        securityGroupIds: [machines.id],
        targetGroupArns,
        servingUnit: "daytona-gateway.service",
        drainSeconds: gatewayDrainSeconds,
        publicAddresses: addresses,
      },
      { parent: this },
    );
    this.publicAddresses = addresses.eips.map(({ publicIp }) => publicIp);
    this.balancer = balancer;
    this.figures = figures;
    this.registerOutputs({});
  }

  /** What comes in at the door and at the machines, and what goes out of them. */
  private machinesGroup(
    name: string,
    { network, networks }: GatewayArgs,
    door: aws.ec2.SecurityGroup,
  ): aws.ec2.SecurityGroup {
    const machines = new aws.ec2.SecurityGroup(
      `${name}-machines-group`,
      {
        vpcId: network.vpcId,
        description:
          "Gateways: sandboxes come in by the door; out to the world.",
      },
      { parent: this },
    );
    for (const port of ports) {
      networks.sandboxes.cidrs.forEach((cidr, index) => {
        new aws.vpc.SecurityGroupIngressRule(
          nth(`${name}-from-sandboxes-${String(port)}`, index),
          {
            ...tcp(port),
            securityGroupId: door.id,
            description: "Sandboxes.",
            cidrIpv4: cidr,
          },
          { parent: this },
        );
      });
    }
    doorToMachines(
      name,
      {
        ports,
        door: { id: door.id, called: "The door." },
        machines: { id: machines.id, called: "The gateways." },
      },
      this,
    );
    for (const [whom, description, rule] of [
      ["world-443", "The listed hosts, and AWS itself.", tcp(443)],
      ["world-80", "Mirrors of Debian.", tcp(80)],
      ["dns", "Name servers, from the roots down.", tcp(53)],
      ["dns-udp", "Name servers, from the roots down.", udp(53)],
    ] as const) {
      new aws.vpc.SecurityGroupEgressRule(
        `${name}-machines-to-${whom}`,
        {
          ...rule,
          securityGroupId: machines.id,
          description,
          cidrIpv4: "0.0.0.0/0",
        },
        { parent: this },
      );
    }
    return machines;
  }
}
