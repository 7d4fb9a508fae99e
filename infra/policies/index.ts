/** All policies, and what resources do against them. */
import { iamWildcards, serviceTrust } from "./iam.ts";
import { dnsRecords, protection } from "./lasting.ts";
import { bucketEncryption, encryption, instanceMetadata } from "./machines.ts";
import { plainSecrets } from "./plain-secrets.ts";
import type {
  PlannedResource,
  ResourcePolicy,
  StackPolicy,
  Violation,
} from "./resources.ts";
import {
  sandboxesEgress,
  sandboxesNames,
  sandboxesNetworkAcl,
  sandboxesPublicAddresses,
  sandboxesRoutes,
} from "./sandboxes.ts";
import { openIngress } from "./security-groups.ts";

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
