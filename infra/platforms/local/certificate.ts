/** The certificate on this computer: issued into the directory that the edge reads. */
import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { join } from "node:path";
import {
  checkout,
  labDirectory,
  storeDirectory,
} from "../../../scripts/checkout.ts";

export interface CertificateArgs {
  /** Machine whose store gets it. */
  readonly machine: string;
  readonly domain: string;
  readonly zoneId: string;
  /** Address of Cloudflare's API; its own when absent. */
  readonly cloudflareUrl: string | undefined;
  /** URL of the ACME server's directory. */
  readonly directory: string;
  /** E-mail address for the ACME account. */
  readonly contact?: string | undefined;
}

export class Certificate extends pulumi.ComponentResource {
  /** Known once a certificate is in the store. */
  readonly issued: pulumi.Output<unknown>;

  constructor(
    name: string,
    args: CertificateArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("daytona-edge:local:Certificate", name, {}, opts);
    // The Cloudflare token stays in the environment of whoever runs pulumi, as
    // for the Cloudflare provider: it is in no argument and not in the state.
    const issue = new command.local.Command(
      `${name}-issue`,
      {
        dir: checkout,
        create:
          '"$NODE" infra/certificate/main.ts --names "$NAMES" --directory "$DIRECTORY" --contact "$CONTACT" --zone "$ZONE" --store "$STORE" --account "$ACCOUNT"',
        environment: {
          NODE: process.execPath,
          NAMES: `*.${args.domain},${args.domain}`,
          DIRECTORY: args.directory,
          CONTACT: args.contact ?? "",
          ZONE: args.zoneId,
          STORE: storeDirectory(args.machine),
          ACCOUNT: join(labDirectory, "acme-accounts", args.machine),
          ...(args.cloudflareUrl
            ? { CLOUDFLARE_BASE_URL: args.cloudflareUrl }
            : {}),
        },
      },
      { parent: this },
    );
    this.issued = issue.stdout;
    this.registerOutputs({});
  }
}
