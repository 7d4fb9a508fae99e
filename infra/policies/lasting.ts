/** What the world knows by name or address. */
import type { PlannedResource, ResourcePolicy } from "./resources.ts";

const recordTypes = [
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
    if (!recordTypes.includes(type)) return [];
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

/** What other people's records and lists name, or what all the rest stands in. */
const lasting: Readonly<
  Record<string, (resource: PlannedResource) => boolean>
> = {
  "aws:ec2/eip:Eip": () => true,
  "aws:ec2/vpc:Vpc": () => true,
  "aws:lb/loadBalancer:LoadBalancer": facesInternet,
  "cloudflare:index/dnsRecord:DnsRecord": ({ inputs }) =>
    String(inputs.name).startsWith("*."),
};

/** Against Pulumi's mistakes, and against those made in AWS' console. */
export const protection: ResourcePolicy = {
  name: "protection",
  description:
    "What the world knows by address, and what all stands in, is protected from deletion.",
  judge: (resource) => {
    const { type, inputs, protect } = resource;
    if (!lasting[type]?.(resource)) return [];
    return [
      ...(protect ? [] : ["It is not protected; pass protect: true."]),
      ...(type !== "aws:lb/loadBalancer:LoadBalancer" ||
      inputs.enableDeletionProtection === true
        ? []
        : ["AWS would delete it; set enableDeletionProtection."]),
    ];
  },
};

function facesInternet({ inputs }: PlannedResource): boolean {
  return inputs.internal !== true;
}
