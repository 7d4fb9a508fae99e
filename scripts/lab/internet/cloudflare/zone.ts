/** Cloudflare's records as its name servers answer them. */
import type { LabHost } from "../hosts.ts";
import { type ResourceRecord, Zone } from "../dns/zone.ts";
import { characterStrings } from "./character-strings.ts";
import type { DnsRecord } from "./record.ts";

export interface CloudflareZoneArgs {
  readonly name: string;
  readonly nameServers: readonly LabHost[];
  readonly serial: number;
  readonly records: readonly DnsRecord[];
  /** Where proxied names lead. */
  readonly proxy: { readonly ipv4: string; readonly ipv6: string };
}

/** What Cloudflare calls "Auto", in seconds. */
const automaticTtl = 300;
const nameServerTtl = 86_400;
/**
 * How long a denial is kept, in seconds. The real one says 1800, which no test
 * would wait for.
 */
const negativeTtl = 60;

export function cloudflareZone(args: CloudflareZoneArgs): Zone {
  const { name, nameServers, serial, records, proxy } = args;
  const [first] = nameServers;
  if (!first) throw new Error(`Zone ${name} needs a name server`);
  return new Zone(
    {
      type: "SOA",
      name,
      ttl: 1800,
      data: {
        mname: first.name,
        rname: "dns.cloudflare.internal",
        serial,
        refresh: 10_000,
        retry: 2400,
        expire: 604_800,
        minimum: negativeTtl,
      },
    },
    [
      ...nameServers.map(({ name: data }): ResourceRecord => ({
        type: "NS",
        name,
        ttl: nameServerTtl,
        data,
      })),
      ...records.flatMap((record) => resourceRecords(record, proxy)),
    ],
  );
}

function resourceRecords(
  record: DnsRecord,
  proxy: CloudflareZoneArgs["proxy"],
): ResourceRecord[] {
  const { name, type, content } = record;
  const ttl = record.ttl === 1 ? automaticTtl : record.ttl;
  if (record.proxied) {
    return [
      { type: "A", name, ttl, data: proxy.ipv4 },
      { type: "AAAA", name, ttl, data: proxy.ipv6 },
    ];
  }
  switch (type) {
    case "TXT":
      return [{ type, name, ttl, data: characterStrings(content) ?? [] }];
    case "CAA":
      return record.data ? [{ type, name, ttl, data: record.data }] : [];
    case "A":
    case "AAAA":
    case "CNAME":
    case "NS":
      return [{ type, name, ttl, data: content }];
  }
}
