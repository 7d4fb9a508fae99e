/** The ingress edge on this computer: one machine of the lab. */
import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { createHash } from "node:crypto";
import { checkout } from "../../../scripts/checkout.ts";
import { edgeAddresses } from "../../../scripts/lab/edge-addresses.ts";
import type { Bundle } from "../../machine/bundle.ts";
import { cloudInitUserData } from "../../machine/cloud-init.ts";
import { bundleTarball } from "../../machine/tarball.ts";
import { LiveState } from "./live-state.ts";

/** The bundle, in the store and as the machine sees it there. */
const bundleDocument = "edge-bundle.tar.gz";
const bundleOnMachine = `/var/lib/daytona-edge/store/${bundleDocument}`;

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
    const tarball = bundleTarball(args.bundle);
    const userData = tarball.then((packed) =>
      cloudInitUserData(packed, bundleOnMachine),
    );
    const bundle = new LiveState(
      `${name}-bundle`,
      {
        machine: args.machine,
        document: bundleDocument,
        content: tarball.then((packed) =>
          Buffer.from(packed).toString("base64"),
        ),
        encoding: "base64",
      },
      { parent: this },
    );
    const lab = '"$NODE" scripts/lab/main.ts machine';
    const environment = { NODE: process.execPath, MACHINE: args.machine };
    const machine = new command.local.Command(
      `${name}-machine`,
      {
        dir: checkout,
        environment,
        create: `${lab} boot "$MACHINE"`,
        delete: `${lab} remove "$MACHINE"`,
        stdin: userData,
        // A machine is never changed: other user data is another machine.
        triggers: [userData.then(sha256)],
      },
      { parent: this, deleteBeforeReplace: true, dependsOn: bundle },
    );
    new command.local.Command(
      `${name}-healthy`,
      {
        // The health check fails until the machine serves a real certificate
        // and knows which tokens count.
        create: `curl -fsS --max-time 60 --retry 300 --retry-delay 1 --retry-max-time 90 --retry-all-errors http://${address.ipv4}:8404/healthz`,
        triggers: [machine.id, args.liveState],
      },
      { parent: this },
    );
    this.address = address;
    this.registerOutputs({ address });
  }
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
