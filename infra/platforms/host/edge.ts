/** The ingress edge on an existing server. */
import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { Bundle } from "../../machine/bundle.ts";
import { InstalledBundle } from "./installed-bundle.ts";
import { remoteCommand } from "./remote-command.ts";
import type { Login } from "./server.ts";

export interface EdgeArgs {
  readonly login: Login;
  readonly bundle: Bundle;
  /** Known once what the edge needs to be healthy is in the store. */
  readonly liveState: pulumi.Input<unknown>;
}

export class Edge extends pulumi.ComponentResource {
  constructor(
    name: string,
    args: EdgeArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("daytona-edge:host:Edge", name, {}, opts);
    const { login, bundle } = args;
    const installed = new InstalledBundle(
      name,
      { login, bundle },
      { parent: this },
    );
    new command.remote.Command(
      `${name}-healthy`,
      {
        ...remoteCommand({ login, create: { script: "wait-healthy" } }),
        triggers: [installed.sha256, args.liveState],
      },
      { parent: this },
    );
    this.registerOutputs({});
  }
}
