/**
 * What bounds every role of the stack, whatever its own policies say: who may
 * make roles here may then not make one that can do more (infra/ci).
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
 */
import type * as pulumi from "@pulumi/pulumi";

/** @param boundary ARN of the policy */
export function boundRoles(boundary: string): pulumi.ResourceTransform {
  return ({ type, props, opts }) =>
    type === "aws:iam/role:Role"
      ? { props: { ...props, permissionsBoundary: boundary }, opts }
      : undefined;
}
