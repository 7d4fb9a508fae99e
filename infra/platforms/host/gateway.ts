/** The egress gateway on an existing Debian 13 server, installed over SSH. */
import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { createHash } from "node:crypto";
import { gatewayAddress } from "../../gateway/address.ts";
import type { Bundle } from "../../machine/bundle.ts";
import { bundleTarball } from "../../machine/tarball.ts";

/** What the far side does with the archive that comes by standard input. */
const unpackAndInstall =
  'set -e; work=$(mktemp -d); trap \'rm -rf "$work"\' EXIT; base64 -d | tar -xz -C "$work" --no-same-owner; sh "$work/install.sh"';

/** Replaced as a whole, and for root alone from its first moment. */
const credentialsFile = "/var/lib/daytona-edge/store/egress-credentials.json";
const writeCredentials = `set -e; umask 077; mkdir -p -m 755 "$(dirname ${credentialsFile})"; cat >${credentialsFile}.new; mv ${credentialsFile}.new ${credentialsFile}`;

export interface GatewayArgs {
  readonly bundle: Bundle;
  /** The live state `egress-credentials.json`; secret. */
  readonly credentials: pulumi.Input<string>;
  readonly server: {
    readonly address: string;
    readonly user: string;
    /** The server's public host key; without it known_hosts decides. */
    readonly hostKey?: string | undefined;
  };
  readonly privateKey: pulumi.Input<string>;
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
    const { address: host, user, hostKey } = args.server;
    const connection = {
      host,
      user,
      privateKey: args.privateKey,
      ...(hostKey ? { hostKey } : {}),
    };
    const archive = bundleTarball(args.bundle).then((tarball) =>
      Buffer.from(tarball).toString("base64"),
    );
    const credentials = new command.remote.Command(
      `${name}-credentials`,
      {
        connection,
        stdin: args.credentials,
        create: writeCredentials,
        update: writeCredentials,
        delete: `rm -f ${credentialsFile}`,
      },
      { parent: this },
    );
    const install = new command.remote.Command(
      `${name}-install`,
      {
        connection,
        stdin: archive,
        create: unpackAndInstall,
        delete: `/var/lib/daytona-edge/installed/${args.bundle.name}/install.sh --remove`,
      },
      // Rules that name a secret need it.
      { parent: this, dependsOn: credentials },
    );
    const authority = new command.remote.Command(
      `${name}-ca`,
      {
        connection,
        create: `curl -fsS --retry 30 --retry-delay 1 --retry-all-errors http://${gatewayAddress}/ca.pem`,
        // Other rules may mean another authority.
        triggers: [archive.then(sha256)],
      },
      { parent: this, dependsOn: install },
    );
    // The connection's key makes every output secret; a certificate is none.
    this.caCertificate = pulumi.unsecret(authority.stdout);
    this.registerOutputs({});
  }
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
