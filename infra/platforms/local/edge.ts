/** The ingress edge on this computer: one machine of the lab. */
import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { createHash } from "node:crypto";
import { checkout } from "../../../scripts/checkout.ts";
import type { Bundle } from "../../machine/bundle.ts";
import { cloudInitUserData } from "../../machine/cloud-init.ts";

/** Addresses that the lab gives the machine called `edge`. */
const address = { ipv4: "198.18.0.4", ipv6: "2001:db8:198:18::4" };

export interface EdgeArgs {
  readonly bundle: Bundle;
  /** Known once the certificate that the edge serves is in the store. */
  readonly certificate: pulumi.Input<unknown>;
}

export class Edge extends pulumi.ComponentResource {
  readonly address = address;

  constructor(
    name: string,
    args: EdgeArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("daytona-edge:local:Edge", name, {}, opts);
    const userData = pulumi.output(cloudInitUserData(args.bundle));
    const lab = '"$NODE" scripts/lab/main.ts machine';
    const environment = { NODE: process.execPath };
    const machine = new command.local.Command(
      `${name}-machine`,
      {
        dir: checkout,
        environment,
        create: `${lab} boot edge`,
        delete: `${lab} remove edge`,
        stdin: userData,
        // A machine is never changed: other user data is another machine.
        triggers: [userData.apply(sha256)],
      },
      { parent: this, deleteBeforeReplace: true },
    );
    new command.local.Command(
      `${name}-healthy`,
      {
        // The health check fails until the machine serves a real certificate.
        create: `curl -fsS --max-time 60 --retry 300 --retry-delay 1 --retry-max-time 90 --retry-all-errors http://${address.ipv4}:8404/healthz`,
        triggers: [machine.id, args.certificate],
      },
      { parent: this },
    );
    this.registerOutputs({ address });
  }
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
