/** Cloudflare: where the sandboxes' names lead. Who may certify them: caa.ts. */
// Not the whole package: its index loads each of 800 modules.
import { DnsRecord, type DnsRecordArgs } from "@pulumi/cloudflare/dnsRecord.js";
import * as pulumi from "@pulumi/pulumi";
import { AsyncResource } from "node:async_hooks";
import { type PublishedRecords, ensurePublished } from "./published-records.ts";

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

/** Where the edge is reached. */
export interface EdgeAddress {
  /** Name of a load balancer, which leaves out a zone that is ill. */
  readonly name?: pulumi.Input<string>;
  readonly ipv4: readonly pulumi.Input<string>[];
  readonly ipv6: readonly pulumi.Input<string>[];
}

/**
 * The wildcard record and the base records. They are never proxied:
 * Cloudflare's own certificate covers one label only, and its proxy would cut
 * long requests. The base name has addresses even where the edge has a name:
 * it has CAA, and no other record may stand beside a CNAME (RFC 1034, 3.6.2).
 */
export class Dns extends pulumi.ComponentResource {
  private readonly records: DnsRecord[] = [];
  private readonly cure: pulumi.ErrorHook;

  constructor(
    name: string,
    args: DnsArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("daytona-edge:Dns", name, {}, opts);
    const wildcard = `*.${args.domain}`;
    this.cure = conflictCure(name, wildcard);
    if (args.edge.name === undefined) {
      this.addresses(`${name}-wildcard`, args, wildcard);
    } else {
      const content = args.edge.name;
      this.record(`${name}-wildcard`, args, {
        name: wildcard,
        type: "CNAME",
        content,
      });
    }
    this.addresses(`${name}-base`, args, args.domain);
    // An output, so that the update waits for it.
    this.registerOutputs({ published: this.published(args) });
  }

  /** Whether the world is led to the edge, and nowhere else; if not, the update fails. */
  private published({ domain, edge }: DnsArgs): pulumi.Output<boolean> {
    const written = this.records.map(({ id }) => id);
    return pulumi
      .all([pulumi.all(written), edge.name, edge.ipv4, edge.ipv6] as const)
      .apply(async ([, balancer, ipv4, ipv6]) => {
        const wildcard = `*.${domain}`;
        const addresses = (name: string): PublishedRecords[] => [
          { name, kind: "A", values: ipv4 },
          { name, kind: "AAAA", values: ipv6 },
        ];
        const wanted = [
          ...addresses(domain),
          ...(balancer === undefined
            ? addresses(wildcard)
            : [{ name: wildcard, kind: "CNAME", values: [balancer] } as const]),
        ];
        try {
          await ensurePublished(domain, wanted);
          return true;
        } catch (error) {
          if (!pulumi.RunError.isInstance(error)) throw error;
          // Of one that nobody handles Pulumi shows the text alone; one in an
          // output it shows as an error of serializing, with a stack trace.
          void Promise.reject(error);
          return false;
        }
      });
  }

  private addresses(name: string, args: DnsArgs, host: string): void {
    let first: DnsRecord | undefined;
    for (const [type, suffix, contents] of [
      ["A", "", args.edge.ipv4],
      ["AAAA", "-v6", args.edge.ipv6],
    ] as const) {
      contents.forEach((content, index) => {
        const which = index === 0 ? "" : `-${String(index)}`;
        const record = this.record(
          `${name}${suffix}${which}`,
          args,
          { name: host, type, content },
          // It may take a CNAME's place, which must be gone before the others.
          first,
        );
        first ??= record;
      });
    }
  }

  private record(
    name: string,
    { zoneId }: DnsArgs,
    record: Pick<DnsRecordArgs, "name" | "type" | "content">,
    after?: DnsRecord,
  ): DnsRecord {
    const made = new DnsRecord(
      name,
      { zoneId, ...record, ttl: recordTtl, proxied: false },
      {
        parent: this,
        // Of another type it is another record, and no CNAME stands beside one.
        deleteBeforeReplace: true,
        hooks: { onError: [this.cure] },
        ...(after && { dependsOn: after }),
      },
    );
    this.records.push(made);
    return made;
  }
}

/**
 * What to do where Cloudflare refuses a CNAME beside addresses (81053). Pulumi
 * takes away last what a program has no more, so where several addresses become
 * one name, all but the first are still there.
 */
function conflictCure(name: string, wildcard: string): pulumi.ErrorHook {
  const hook: pulumi.ErrorHookFunction = async ({ errors }) => {
    if (errors[0]?.includes("81053")) {
      await pulumi.log.error(
        [
          `${wildcard} has records still beside which its CNAME cannot stand. Those of this stack go, and sandboxes are not reached until the update has ended, when you type:`,
          `  pulumi destroy --target '**::${name}-wildcard*'`,
          "  pulumi up",
          "Another's you remove at Cloudflare yourself",
        ].join("\n"),
      );
    }
    return false;
  };
  // The engine calls it from outside of the program, whose log would be no one's.
  return new pulumi.ErrorHook(`${name}-conflict`, AsyncResource.bind(hook));
}
