/** Rules of security groups that edges and gateways have alike. */
import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { healthPort } from "../../machine/places.ts";

export function tcp(fromPort: number, toPort = fromPort) {
  return { ipProtocol: "tcp" as const, fromPort, toPort };
}

export function udp(port: number) {
  return { ...tcp(port), ipProtocol: "udp" as const };
}

export interface Group {
  readonly id: pulumi.Input<string>;
  /** By the other's rules. */
  readonly called: string;
}

/** Lets a balancer pass ports on to machines, and ask for their health; both ends say so. */
export function doorToMachines(
  name: string,
  args: {
    readonly ports: readonly number[];
    readonly door: Group;
    readonly machines: Group;
  },
  parent: pulumi.Resource,
): void {
  const { door, machines } = args;
  for (const port of [...args.ports, healthPort]) {
    new aws.vpc.SecurityGroupIngressRule(
      `${name}-machines-from-door-${String(port)}`,
      {
        ...tcp(port),
        securityGroupId: machines.id,
        description: door.called,
        referencedSecurityGroupId: door.id,
      },
      { parent },
    );
    new aws.vpc.SecurityGroupEgressRule(
      `${name}-to-machines-${String(port)}`,
      {
        ...tcp(port),
        securityGroupId: door.id,
        description: machines.called,
        referencedSecurityGroupId: machines.id,
      },
      { parent },
    );
  }
}
