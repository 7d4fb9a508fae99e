/**
 * The certificate on this computer: issued into the directory that the edge
 * reads. The account comes first, for CAA names it, and CAA before the order.
 */
import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { join } from "node:path";
import {
  checkout,
  labDirectory,
  storeDirectory,
} from "../../../scripts/checkout.ts";
import { Caa } from "../../caa.ts";

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
  /** The authority's name in CAA records. */
  readonly caaIdentity: string;
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
    const program = '"$NODE" infra/certificate/main.ts';
    const environment = {
      NODE: process.execPath,
      DIRECTORY: args.directory,
      CONTACT: args.contact ?? "",
      ACCOUNT: join(labDirectory, "acme-accounts", args.machine),
    };
    const account = new command.local.Command(
      `${name}-account`,
      {
        dir: checkout,
        create: `${program} account --directory "$DIRECTORY" --contact "$CONTACT" --account "$ACCOUNT"`,
        environment,
      },
      { parent: this },
    );
    const caa = new Caa(
      `${name}-caa`,
      { ...args, account: account.stdout.apply(accountUrl) },
      { parent: this },
    );
    // The Cloudflare token stays in the environment of whoever runs pulumi, as
    // for the Cloudflare provider: it is in no argument and not in the state.
    const issue = new command.local.Command(
      `${name}-issue`,
      {
        dir: checkout,
        create: `${program} issue --names "$NAMES" --directory "$DIRECTORY" --contact "$CONTACT" --zone "$ZONE" --store "$STORE" --account "$ACCOUNT"`,
        environment: {
          ...environment,
          NAMES: `*.${args.domain},${args.domain}`,
          ZONE: args.zoneId,
          STORE: storeDirectory(args.machine),
          ...(args.cloudflareUrl
            ? { CLOUDFLARE_BASE_URL: args.cloudflareUrl }
            : {}),
        },
      },
      { parent: this, dependsOn: caa },
    );
    this.issued = issue.stdout;
    this.registerOutputs({});
  }
}

/** What the command "account" prints. */
function accountUrl(line: string): string {
  return (JSON.parse(line) as { readonly account: string }).account;
}
