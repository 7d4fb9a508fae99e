/** All policies, and what resources do against them. */
import { bucketEncryption } from "./bucket-encryption.ts";
import { dnsRecords } from "./dns-records.ts";
import { encryption } from "./encryption.ts";
import { iamWildcards } from "./iam-wildcards.ts";
import { instanceMetadata } from "./instance-metadata.ts";
import { openIngress } from "./open-ingress.ts";
import { plainSecrets } from "./plain-secrets.ts";
import type {
  PlannedResource,
  ResourcePolicy,
  StackPolicy,
  Violation,
} from "./policy.ts";
import { protection } from "./protection.ts";
import { sandboxesEgress } from "./sandboxes-egress.ts";
import { sandboxesNames } from "./sandboxes-names.ts";
import { sandboxesNetworkAcl } from "./sandboxes-network-acl.ts";
import { sandboxesPublicAddresses } from "./sandboxes-public-addresses.ts";
import { sandboxesRoutes } from "./sandboxes-routes.ts";
import { serviceTrust } from "./service-trust.ts";

export const resourcePolicies: readonly ResourcePolicy[] = [
  dnsRecords,
  encryption,
  iamWildcards,
  instanceMetadata,
  plainSecrets,
  protection,
  serviceTrust,
];

export const stackPolicies: readonly StackPolicy[] = [
  bucketEncryption,
  openIngress,
  sandboxesEgress,
  sandboxesNames,
  sandboxesNetworkAcl,
  sandboxesPublicAddresses,
  sandboxesRoutes,
];

/** What the resources of a stack do against the policies. */
export function violations(
  resources: readonly PlannedResource[],
): (Violation & { readonly policy: string })[] {
  return [
    ...resourcePolicies.flatMap(({ name, judge }) =>
      resources.flatMap((resource) =>
        judge(resource).map((text) => ({
          ...{ policy: name, urn: resource.urn, text },
        })),
      ),
    ),
    ...stackPolicies.flatMap(({ name, judgeStack }) =>
      judgeStack(resources).map((violation) => ({
        policy: name,
        ...violation,
      })),
    ),
  ];
}
