/** The road in on AWS: a front door, and edges behind it. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { isIP } from "node:net";
import { hostAndPort } from "../../config/address.ts";
import type { StackConfig } from "../../config/parse.ts";
import type { EdgeAddress } from "../../dns.ts";
import { LoadBalancer, publicPorts } from "./load-balancer.ts";
import { MachineGroup, type MachinesArgs } from "./machine-group.ts";
import { doorToMachines, tcp } from "./security-group-rules.ts";

export interface EdgeArgs extends MachinesArgs {
  readonly config: Pick<StackConfig, "upstream" | "limits">;
}

export class Edge extends pulumi.ComponentResource {
  readonly address: EdgeAddress;
  readonly balancer: LoadBalancer;

  constructor(
    name: string,
    args: EdgeArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("daytona-edge:aws:Edge", name, {}, opts);
    const drainSeconds = args.config.limits.drainMinutes * 60;
    this.balancer = new LoadBalancer(
      name,
      { network: args.network },
      { parent: this },
    );
    const group = this.securityGroup(name, args);
    new MachineGroup(
      `${name}-machines`,
      {
        ...args,
        machines: args.settings.edge,
        subnetIds: args.network.subnets.map(({ id }) => id),
        securityGroupIds: [group.id],
        targetGroupArns: this.balancer.targetGroupArns,
        servingUnit: "daytona-edge.service",
        drainSeconds,
      },
      { parent: this },
    );
    this.address = this.balancer.address;
    this.registerOutputs({});
  }

  private securityGroup(name: string, args: EdgeArgs): aws.ec2.SecurityGroup {
    const group = new aws.ec2.SecurityGroup(
      `${name}-machines-group`,
      {
        vpcId: args.network.vpcId,
        description: "Edges: the front door comes in, nobody else.",
      },
      { parent: this },
    );
    doorToMachines(
      name,
      {
        ports: publicPorts,
        door: { id: this.balancer.securityGroupId, called: "The front door." },
        machines: { id: group.id, called: "The edges." },
      },
      this,
    );
    // Their packages, their documents, their bundle.
    for (const port of portsOfAws) {
      new aws.vpc.SecurityGroupEgressRule(
        `${name}-machines-to-aws-${String(port)}`,
        {
          ...tcp(port),
          securityGroupId: group.id,
          description: "Mirrors of Debian, and AWS itself.",
          cidrIpv4: "0.0.0.0/0",
        },
        { parent: this },
      );
    }
    for (const { name: whom, to, ...rule } of destinations(args.config)) {
      new aws.vpc.SecurityGroupEgressRule(
        `${name}-machines-to-${whom}`,
        { ...rule, ...to, securityGroupId: group.id },
        { parent: this },
      );
    }
    return group;
  }
}

const portsOfAws = [80, 443];

interface Destination {
  readonly name: string;
  readonly description: string;
  readonly to: { cidrIpv4: string } | { cidrIpv6: string };
  readonly ipProtocol: "tcp" | "udp";
  readonly fromPort: number;
  readonly toPort: number;
}

/** What an edge must reach to reach sandboxes. */
export function destinations({
  upstream,
}: Pick<StackConfig, "upstream">): Destination[] {
  if (upstream.mode === "daytona") {
    const { host, port } = hostAndPort(upstream.url);
    // Reached already, and AWS refuses the same rule twice.
    if (!isIP(host) && portsOfAws.includes(port)) return [];
    const to = isIP(host)
      ? hostOnly(host)
      : // Where a name leads is not known here.
        { cidrIpv4: "0.0.0.0/0" };
    const description = "The proxy of Daytona.";
    return [{ name: "daytona", description, to, ...tcp(port) }];
  }
  const sandboxes = upstream.networks.map((network, index) => ({
    name: `sandboxes-${String(index)}`,
    description: "Sandboxes.",
    to: network.includes(":") ? { cidrIpv6: network } : { cidrIpv4: network },
    ...tcp(1, 65535),
  }));
  const { host: resolver, port } = hostAndPort(upstream.resolver);
  const { ipProtocol, ...ports } = tcp(port);
  const names = ([ipProtocol, "udp"] as const).map((protocol) => ({
    name: `resolver-${protocol}`,
    description: "The resolver of sandbox names.",
    to: hostOnly(resolver),
    ipProtocol: protocol,
    ...ports,
  }));
  return [...sandboxes, ...names];
}

function hostOnly(address: string) {
  return address.includes(":")
    ? { cidrIpv6: `${address}/128` }
    : { cidrIpv4: `${address}/32` };
}
