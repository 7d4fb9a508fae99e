import type { ResourcePolicy } from "./policy.ts";

const types = [
  "cloudflare:index/dnsRecord:DnsRecord",
  "cloudflare:index/record:Record",
];
/** Cloudflare's shortest, in seconds; 1 means that it decides itself. */
const shortestTtl = 60;

/**
 * Behind Cloudflare's proxy a sandbox's name would have no certificate (its
 * own covers one label) and long requests would be cut.
 */
export const dnsRecords: ResourcePolicy = {
  name: "dns-records",
  description:
    "Records, the wildcard first of all, lead to the edge itself and say for how long.",
  judge: ({ type, inputs }) => {
    if (!types.includes(type)) return [];
    const { proxied, ttl } = inputs;
    return [
      ...(proxied === true
        ? ["It is proxied by Cloudflare; set proxied: false."]
        : []),
      ...(typeof ttl === "number" && ttl >= shortestTtl
        ? []
        : ["Its TTL is not set; set ttl, in seconds."]),
    ];
  },
};
