/** Cloudflare: where the sandboxes' names lead. Who may certify them: caa.ts. */
import * as cloudflare from "@pulumi/cloudflare";
import * as pulumi from "@pulumi/pulumi";

/** How long a resolver may keep an answer, in seconds. */
export const recordTtl = 300;

export interface DnsArgs {
  /** Cloudflare zone that holds the domain. */
  readonly zoneId: string;
  /** Base name, for example `sandbox.daytona.example.net`. */
  readonly domain: string;
  /** The edge's front door. */
  readonly edge: EdgeAddress;
}

/** Addresses of the edge. */
export interface EdgeAddress {
  readonly ipv4: pulumi.Input<string>;
  readonly ipv6: pulumi.Input<string>;
}

/**
 * The wildcard record and the base record. They are never proxied:
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
      {
        zoneId: args.zoneId,
        name: host,
        type,
        content,
        ttl: recordTtl,
        proxied: false,
      },
      { parent: this },
    );
  }
}
