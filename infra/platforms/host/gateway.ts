/** The egress gateway on a server that sandboxes run on. */
import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { gatewayAddress } from "../../gateway/address.ts";
import type { Bundle } from "../../machine/bundle.ts";
import { egressCredentials } from "../../machine/live-state.ts";
import { InstalledBundle } from "./installed-bundle.ts";
import { LiveState } from "./live-state.ts";
import { remoteCommand } from "./remote-command.ts";
import type { Login } from "./server.ts";

export interface GatewayArgs {
  readonly login: Login;
  readonly bundle: Bundle;
  /** The live state `egress-credentials.json`; secret. */
  readonly credentials: pulumi.Input<string>;
}

export class Gateway extends pulumi.ComponentResource {
  /** The one address that sandboxes may reach. */
  readonly address = gatewayAddress;
  /** PEM of the authority that signs for inspected hosts. */
  readonly caCertificate: pulumi.Output<string>;

  constructor(
    name: string,
    args: GatewayArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("daytona-edge:host:Gateway", name, {}, opts);
    const { login, bundle } = args;
    const credentials = new LiveState(
      `${name}-credentials`,
      {
        login,
        document: `store/${egressCredentials.name}`,
        content: args.credentials,
      },
      { parent: this },
    );
    const installed = new InstalledBundle(
      name,
      { login, bundle },
      // Rules that name a secret need it.
      { parent: this, dependsOn: credentials },
    );
    const authority = new command.remote.Command(
      `${name}-ca`,
      {
        ...remoteCommand({
          login,
          create: {
            script: "gateway-authority",
            environment: { GATEWAY: gatewayAddress },
          },
        }),
        // A certificate of thirty lines is no news.
        logging: "none",
        // Other rules may mean another authority.
        triggers: [installed.sha256],
      },
      { parent: this },
    );
    this.caCertificate = authority.stdout;
    this.registerOutputs({});
  }
}
