import {
  cloudflareNameServers,
  cloudflareZone,
  serviceHosts,
  webHosts,
} from "../hosts.ts";
import type { ZoneRecord } from "./zone.ts";

/** How long a resolver may keep an answer, in seconds. */
const ttl = 60;

/** What the lab's DNS knows without Cloudflare: the root, the zone's frame, the hosts. */
export const staticRecords: readonly ZoneRecord[] = [
  soa("", "root-1"),
  { name: "", type: "NS", ttl, data: "root-1" },
  { name: "root-1", type: "A", ttl, data: "198.18.0.2" },
  soa(cloudflareZone, "ns1.cloudflare.internal"),
  ...cloudflareNameServers.map((server) => ({
    name: cloudflareZone,
    type: "NS" as const,
    ttl,
    data: server,
  })),
  ...[...webHosts, ...serviceHosts].flatMap(({ name, ipv4, ipv6 }) => [
    { name, type: "A" as const, ttl, data: ipv4 },
    ...(ipv6 === undefined
      ? []
      : [{ name, type: "AAAA" as const, ttl, data: ipv6 }]),
  ]),
];

function soa(name: string, server: string): ZoneRecord {
  return {
    name,
    type: "SOA",
    ttl,
    data: {
      mname: server,
      rname: "hostmaster.lab",
      serial: 1,
      refresh: 3600,
      retry: 600,
      expire: 86_400,
      // A name that does not exist yet may exist the next second.
      minimum: 1,
    },
  };
}
