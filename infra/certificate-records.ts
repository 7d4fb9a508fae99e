/** Cloudflare: the records that must stand before a certificate is ordered. */
// Not the whole package: its index loads each of 800 modules.
import { DnsRecord } from "@pulumi/cloudflare/dnsRecord.js";
import type * as pulumi from "@pulumi/pulumi";
import { Caa } from "./caa.ts";
import { challengeName } from "./certificate/dns01.ts";
import type { StackConfig } from "./config/parse.ts";
import { recordTtl } from "./dns.ts";

export interface CertificateRecordsArgs {
  readonly config: Pick<StackConfig, "domain" | "zoneId" | "certificate">;
  /** What the certificate's program answers to "account". */
  readonly account: pulumi.Output<string>;
}

/**
 * CAA with the account that may order, and the CNAME to where the challenge is
 * answered, if that is another zone.
 */
export function certificateRecords(
  name: string,
  { config, account }: CertificateRecordsArgs,
  opts: pulumi.ComponentResourceOptions,
): pulumi.Resource[] {
  const { domain, zoneId, certificate } = config;
  const caa = new Caa(
    `${name}-caa`,
    {
      zoneId,
      domain,
      caaIdentity: certificate.caaIdentity,
      account: account.apply(accountUrl),
    },
    opts,
  );
  if (!certificate.challenge) return [caa];
  const alias = new DnsRecord(
    `${name}-challenge`,
    {
      zoneId,
      name: challengeName(domain),
      type: "CNAME",
      content: certificate.challenge.name,
      ttl: recordTtl,
      proxied: false,
    },
    opts,
  );
  return [caa, alias];
}

function accountUrl(answer: string): string {
  return (JSON.parse(answer) as { readonly account: string }).account;
}
