/**
 * Parts of the product. A lab carries them all, and most of its suites look at
 * one: a suite names those it is about by `@module-tag`. One that names none is
 * about all of them.
 */
export const parts: Readonly<
  Record<string, { readonly folder: string; readonly description: string }>
> = {
  aws: {
    folder: "infra/platforms/aws/",
    description: "machines as AWS boots them",
  },
  certificate: {
    folder: "infra/certificate/",
    description: "how certificates are made and renewed",
  },
  edge: { folder: "infra/edge/", description: "the ingress proxy" },
  gateway: { folder: "infra/gateway/", description: "the egress proxy" },
  host: {
    folder: "infra/platforms/host/",
    description: "servers that are reached by SSH",
  },
};
