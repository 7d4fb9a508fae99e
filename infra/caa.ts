/** Cloudflare: who may certify the sandboxes' names (RFC 8659). */
// Not the whole package: its index loads each of 800 modules.
import { DnsRecord } from "@pulumi/cloudflare/dnsRecord.js";
import * as pulumi from "@pulumi/pulumi";
import { recordTtl } from "./dns.ts";

export interface CaaArgs {
  /** Cloudflare zone that holds the domain. */
  readonly zoneId: string;
  /** Base name, for example `sandbox.daytona.example.net`. */
  readonly domain: string;
  /** The certificate authority's name in CAA records. */
  readonly caaIdentity: string;
  /** URL of the one ACME account that may order. */
  readonly account: pulumi.Input<string>;
}

/**
 * CAA stands on the domain itself, not on the zone's apex, where it would bind
 * Cloudflare's own certificates too. RFC 8657 limits it to dns-01, for root in
 * a sandbox could otherwise answer an http-01 challenge for its own host, and
 * to our account, for others order from the same authority.
 */
export class Caa extends pulumi.ComponentResource {
  constructor(
    name: string,
    args: CaaArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("daytona-edge:Caa", name, {}, opts);
    const value = pulumi.interpolate`${args.caaIdentity}; validationmethods=dns-01; accounturi=${args.account}`;
    for (const tag of ["issue", "issuewild"]) {
      new DnsRecord(
        `${name}-${tag}`,
        {
          zoneId: args.zoneId,
          name: args.domain,
          type: "CAA",
          data: { flags: 0, tag, value },
          ttl: recordTtl,
          proxied: false,
        },
        { parent: this },
      );
    }
    this.registerOutputs({});
  }
}
