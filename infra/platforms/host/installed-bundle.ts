/** A bundle on an existing server: installed, updated and removed over SSH. */
import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { createHash } from "node:crypto";
import type { Bundle } from "../../machine/bundle.ts";
import { bundleTarball } from "../../machine/tarball.ts";
import { installScript } from "./look.ts";
import { type Login, connectionTo, remoteScript } from "./server.ts";

export interface InstalledBundleArgs {
  readonly login: Login;
  readonly bundle: Bundle;
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
    const { server } = args.login;
    const archive = bundleTarball(args.bundle).then((tarball) =>
      Buffer.from(tarball).toString("base64"),
    );
    const install = new command.remote.Command(
      `${name}-install`,
      {
        connection: connectionTo(args.login),
        stdin: archive,
        create: installScript(
          args.login,
          args.bundle.name,
          "unpack-and-install",
        ),
        delete: remoteScript(server, "remove-bundle", {
          BUNDLE: args.bundle.name,
        }),
      },
      { parent: this },
    );
    this.sha256 = pulumi
      .all([archive, install.id])
      .apply(([text]) => createHash("sha256").update(text).digest("hex"));
    this.registerOutputs({});
  }
}
