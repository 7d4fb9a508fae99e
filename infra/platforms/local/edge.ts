/** The ingress edge on this computer: one machine of the lab. */
import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { storeDirectory } from "../../../scripts/checkout.ts";
import { edgeAddresses } from "../../../scripts/lab/machine-addresses.ts";
import type { Bundle } from "../../machine/bundle.ts";
import { Machine } from "./machine.ts";

export interface EdgeArgs {
  /** Machine of the lab that it is. */
  readonly machine: keyof typeof edgeAddresses;
  readonly bundle: Bundle;
  /** Known once what the edge needs to be healthy is in the store. */
  readonly liveState: pulumi.Input<unknown>;
}

export class Edge extends pulumi.ComponentResource {
  readonly address: (typeof edgeAddresses)[keyof typeof edgeAddresses];

  constructor(
    name: string,
    args: EdgeArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("daytona-edge:local:Edge", name, {}, opts);
    const address = edgeAddresses[args.machine];
    const machine = new Machine(
      `${name}-machine`,
      {
        ...args,
        directory: storeDirectory(args.machine),
        directoryOnMachine: "/var/lib/daytona-edge/store",
      },
      { parent: this },
    );
    new command.local.Command(
      `${name}-healthy`,
      {
        // The health check fails until the machine serves a real certificate
        // and knows which tokens count.
        create: `curl -fsS --max-time 60 --retry 300 --retry-delay 1 --retry-max-time 90 --retry-all-errors http://${address.ipv4}:8404/healthz`,
        triggers: [machine.bootId, args.liveState],
      },
      { parent: this },
    );
    this.address = address;
    this.registerOutputs({ address });
  }
}
