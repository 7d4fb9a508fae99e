/**
 * The certificate on this computer: issued into the directory that the edge
 * reads. The account comes first, for CAA names it, and CAA before the order.
 */
import * as cloudflare from "@pulumi/cloudflare";
import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { join } from "node:path";
import {
  checkout,
  labDirectory,
  storeDirectory,
} from "../../../scripts/checkout.ts";
import { Caa } from "../../caa.ts";
import { challengeName } from "../../certificate/dns01.ts";
import { recordTtl } from "../../dns.ts";

export interface CertificateArgs {
  /** Machine whose store gets it. */
  readonly machine: string;
  readonly domain: string;
  readonly zoneId: string;
  /** Address of Cloudflare's API; its own when absent. */
  readonly cloudflareUrl: string | undefined;
  /** URL of the ACME server's directory. */
  readonly directory: string;
  readonly profile: string;
  readonly keyType: string;
  /** Where the challenge's records are written instead of in the zone. */
  readonly challenge?:
    { readonly zoneId: string; readonly name: string } | undefined;
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
    const alias = args.challenge
      ? [
          new cloudflare.DnsRecord(
            `${name}-challenge`,
            {
              zoneId: args.zoneId,
              name: challengeName(args.domain),
              type: "CNAME",
              content: args.challenge.name,
              ttl: recordTtl,
              proxied: false,
            },
            { parent: this },
          ),
        ]
      : [];
    // The Cloudflare token stays in the environment of whoever runs pulumi, as
    // for the Cloudflare provider: it is in no argument and not in the state.
    const issue = new command.local.Command(
      `${name}-issue`,
      {
        dir: checkout,
        create: `${program} issue --names "$NAMES" --directory "$DIRECTORY" --contact "$CONTACT" --zone "$ZONE" --store "$STORE" --account "$ACCOUNT" --profile "$PROFILE" --key-type "$KEY_TYPE" \${ALIAS:+--challenge-alias "$ALIAS"}`,
        environment: {
          ...environment,
          NAMES: `*.${args.domain},${args.domain}`,
          ZONE: args.challenge?.zoneId ?? args.zoneId,
          PROFILE: args.profile,
          KEY_TYPE: args.keyType,
          ALIAS: args.challenge?.name ?? "",
          STORE: storeDirectory(args.machine),
          ...(args.cloudflareUrl
            ? { CLOUDFLARE_BASE_URL: args.cloudflareUrl }
            : {}),
        },
      },
      { parent: this, dependsOn: [caa, ...alias] },
    );
    this.issued = issue.stdout;
    this.registerOutputs({});
  }
}

/** What the command "account" prints. */
function accountUrl(line: string): string {
  return (JSON.parse(line) as { readonly account: string }).account;
}
