/** The front door: one fixed address a zone, TCP passed on with the client's own. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { EdgeAddress } from "../../dns.ts";
import { balancedPorts } from "./balanced-ports.ts";
import type { HealthAlarmArgs } from "./health-alarm.ts";
import type { ServicesNetwork } from "./services-network.ts";
import { tcp } from "./security-group-rules.ts";
import { addressIn6 } from "./subnets.ts";

/** The number of the balancer's own address in the /64 of a zone. */
const ownNumber = 0xed9en;

export interface LoadBalancerArgs {
  readonly network: ServicesNetwork;
}

/** Ports that are passed on. */
export const publicPorts = [443, 80] as const;

export class LoadBalancer extends pulumi.ComponentResource {
  readonly address: EdgeAddress;
  readonly securityGroupId: pulumi.Output<string>;
  readonly targetGroupArns: readonly pulumi.Output<string>[];
  /** As figures name it, and its machines. */
  readonly figures: HealthAlarmArgs["targets"];

  constructor(
    name: string,
    args: LoadBalancerArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("daytona-edge:aws:LoadBalancer", name, {}, opts);
    const { vpcId, subnets } = args.network;
    // From its creation on: later it could have none.
    const group = new aws.ec2.SecurityGroup(
      `${name}-group`,
      { vpcId, description: "The front door: everybody, on two ports." },
      { parent: this },
    );
    for (const port of publicPorts) {
      const open = {
        securityGroupId: group.id,
        description: "Everybody.",
        ...tcp(port),
      };
      new aws.vpc.SecurityGroupIngressRule(
        `${name}-from-all-${String(port)}`,
        { ...open, cidrIpv4: "0.0.0.0/0" },
        { parent: this },
      );
      new aws.vpc.SecurityGroupIngressRule(
        `${name}-from-all-v6-${String(port)}`,
        { ...open, cidrIpv6: "::/0" },
        { parent: this },
      );
    }
    const addresses = subnets.map(
      (_, zone) =>
        new aws.ec2.Eip(
          `${name}-address-${String(zone)}`,
          { domain: "vpc" },
          // Records, and other people's lists, say it.
          { parent: this, protect: true, retainOnDelete: true },
        ),
    );
    const addresses6 = subnets.map(({ ipv6CidrBlock }) =>
      pulumi.output(ipv6CidrBlock).apply((cidr) => addressIn6(cidr, ownNumber)),
    );
    const balancer = new aws.lb.LoadBalancer(
      `${name}-balancer`,
      {
        loadBalancerType: "network",
        ipAddressType: "dualstack",
        securityGroups: [group.id],
        subnetMappings: subnets.map((subnet, zone) => ({
          subnetId: subnet.id,
          allocationId: addresses[zone]?.id,
          ipv6Address: addresses6[zone],
        })),
        enableCrossZoneLoadBalancing: true,
        enableDeletionProtection: true,
      },
      { parent: this, protect: true },
    );
    const { targetGroupArns, figures } = balancedPorts(
      name,
      {
        vpcId,
        balancer,
        ports: publicPorts,
        // The header tells the client; with both, an edge could not call
        // another one by the front door.
        client: { proxyProtocolV2: true, preserveClientIp: "false" },
      },
      this,
    );
    this.securityGroupId = group.id;
    this.targetGroupArns = targetGroupArns;
    this.figures = figures;
    this.address = {
      name: balancer.dnsName,
      ipv4: addresses.map(({ publicIp }) => publicIp),
      ipv6: addresses6,
    };
    this.registerOutputs({});
  }
}
