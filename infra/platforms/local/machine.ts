/** A machine of the stack on this computer: one of the lab's, booted as a cloud would. */
import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { createHash } from "node:crypto";
import { checkout } from "../../../scripts/checkout.ts";
import type { Bundle } from "../../machine/bundle.ts";

import { bundleTarball } from "../../machine/tarball.ts";
import { LiveState } from "./live-state.ts";
import { localUserData } from "./user-data.ts";

export interface MachineArgs {
  /** Name of the machine in the lab. */
  readonly machine: string;
  readonly bundle: Bundle;
  /** A directory of this computer that the machine can read… */
  readonly directory: string;
  /** …and where it finds it. */
  readonly directoryOnMachine: string;
}

export class Machine extends pulumi.ComponentResource {
  /** Another machine has another. */
  readonly bootId: pulumi.Output<string>;

  constructor(
    name: string,
    args: MachineArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("daytona-edge:local:Machine", name, {}, opts);
    const document = `${args.bundle.name}-bundle.tar.gz`;
    const tarball = bundleTarball(args.bundle);
    const userData = tarball.then((packed) =>
      localUserData(packed, `${args.directoryOnMachine}/${document}`),
    );
    const bundle = new LiveState(
      `${name}-bundle`,
      {
        directory: args.directory,
        document,
        content: tarball.then((packed) =>
          Buffer.from(packed).toString("base64"),
        ),
        encoding: "base64",
      },
      { parent: this },
    );
    const lab = '"$NODE" scripts/lab/main.ts machine';
    const boot = new command.local.Command(
      `${name}-boot`,
      {
        dir: checkout,
        environment: { NODE: process.execPath, MACHINE: args.machine },
        create: `${lab} boot "$MACHINE"`,
        delete: `${lab} remove "$MACHINE"`,
        stdin: userData,
        // A machine is never changed: other user data is another machine.
        triggers: [userData.then(sha256)],
      },
      { parent: this, deleteBeforeReplace: true, dependsOn: bundle },
    );
    this.bootId = boot.id;
    this.registerOutputs({});
  }
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
