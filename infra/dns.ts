/** Cloudflare: where the sandboxes' names lead, and who may certify them. */
import * as cloudflare from "@pulumi/cloudflare";
import * as pulumi from "@pulumi/pulumi";

/** How long a resolver may keep an answer, in seconds. */
const ttl = 300;

export interface DnsArgs {
  /** Cloudflare zone that holds the domain. */
  readonly zoneId: string;
  /** Base name, for example `sandbox.daytona.example.net`. */
  readonly domain: string;
  /** The edge's front door. */
  readonly edge: EdgeAddress;
  /** The certificate authority's name in CAA records (RFC 8659). */
  readonly caaIdentity: string;
}

/** Addresses of the edge. */
export interface EdgeAddress {
  readonly ipv4: pulumi.Input<string>;
  readonly ipv6: pulumi.Input<string>;
}

/**
 * The wildcard record, the base record and CAA. They are never proxied:
 * Cloudflare's own certificate covers one label only, and its proxy would cut
 * long requests.
 */
export class Dns extends pulumi.ComponentResource {
  constructor(
    name: string,
    args: DnsArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("daytona-edge:Dns", name, {}, opts);
    const wildcard = `*.${args.domain}`;
    this.record(`${name}-wildcard`, args, wildcard, "A", args.edge.ipv4);
    this.record(`${name}-wildcard-v6`, args, wildcard, "AAAA", args.edge.ipv6);
    this.record(`${name}-base`, args, args.domain, "A", args.edge.ipv4);
    this.record(`${name}-base-v6`, args, args.domain, "AAAA", args.edge.ipv6);
    this.authorization(`${name}-caa-issue`, args, "issue");
    this.authorization(`${name}-caa-issuewild`, args, "issuewild");
    this.registerOutputs({});
  }

  private record(
    name: string,
    args: DnsArgs,
    host: string,
    type: "A" | "AAAA",
    content: pulumi.Input<string>,
  ): void {
    new cloudflare.DnsRecord(
      name,
      { zoneId: args.zoneId, name: host, type, content, ttl, proxied: false },
      { parent: this },
    );
  }

  /**
   * CAA stands on the domain itself, not on the zone's apex, where it would
   * bind Cloudflare's own certificates too. RFC 8657 limits it to dns-01: root
   * in a sandbox could otherwise answer an http-01 challenge for its own host.
   */
  private authorization(
    name: string,
    args: DnsArgs,
    tag: "issue" | "issuewild",
  ): void {
    const value = `${args.caaIdentity}; validationmethods=dns-01`;
    new cloudflare.DnsRecord(
      name,
      {
        zoneId: args.zoneId,
        name: args.domain,
        type: "CAA",
        data: { flags: 0, tag, value },
        ttl,
        proxied: false,
      },
      { parent: this },
    );
  }
}
