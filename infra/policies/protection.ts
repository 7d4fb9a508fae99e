import type { PlannedResource, ResourcePolicy } from "./policy.ts";

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
