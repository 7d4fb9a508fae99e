/** A bundle on an existing server: installed, updated and removed over SSH. */
import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { createHash } from "node:crypto";
import { onBaseSystem } from "../../machine/base-system/bundle.ts";
import type { Bundle } from "../../machine/bundle.ts";
import { bundleTarball } from "../../machine/tarball.ts";
import { installRun } from "./look.ts";
import { remoteCommand } from "./remote-command.ts";
import type { Login } from "./server.ts";

export interface InstalledBundleArgs {
  readonly login: Login;
  readonly bundle: Bundle;
  /** The word that its install is given; see look.ts. */
  readonly repair?: string | undefined;
}

export class InstalledBundle extends pulumi.ComponentResource {
  /** Of the bundle that is installed. */
  readonly sha256: pulumi.Output<string>;

  constructor(
    name: string,
    args: InstalledBundleArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("daytona-edge:host:InstalledBundle", name, {}, opts);
    const { login } = args;
    const bundle = login.baseSystem ? onBaseSystem(args.bundle) : args.bundle;
    const archive = bundleTarball(bundle).then((tarball) =>
      Buffer.from(tarball).toString("base64"),
    );
    const install = new command.remote.Command(
      `${name}-install`,
      remoteCommand({
        login,
        input: archive,
        create: installRun(
          login,
          bundle.name,
          { script: "unpack-and-install" },
          args.repair,
        ),
        delete: {
          script: "remove-bundle",
          environment: { BUNDLE: bundle.name },
        },
      }),
      {
        parent: this,
        ...(login.baseSystem && { dependsOn: login.baseSystem }),
      },
    );
    this.sha256 = pulumi
      .all([archive, install.id])
      .apply(([text]) => createHash("sha256").update(text).digest("hex"));
    this.registerOutputs({});
  }
}
