/**
 * How GitHub's runners get into the account: no key is kept anywhere, they show
 * a token that GitHub signs (OpenID Connect) and get one of two roles. One
 * previews and reads only, one deploys.
 *
 * It is a stack of its own, which people run from a desk, for two reasons. A
 * workflow cannot make the role that it needs to make anything. And no pull
 * request may change the role that previews it: neither role reaches this
 * stack's state, the roles themselves, or GitHub's provider.
 *
 * An account has one such provider. Where there is one already:
 * `pulumi import aws:iam/openIdConnectProvider:OpenIdConnectProvider github ARN`
 */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { boundaryName, boundaryPermissions } from "./boundary.ts";
import { readConfig } from "./config.ts";
import { previewPermissions, upPermissions } from "./permissions.ts";
import type { Permissions, Scope } from "./scope.ts";
import { audience, issuer, subjects, trust } from "./trust.ts";

export default function program() {
  const { repository, ...places } = readConfig();
  const github = new aws.iam.OpenIdConnectProvider("github", {
    url: `https://${issuer}`,
    clientIdLists: [audience],
  });
  const { accountId } = aws.getCallerIdentityOutput();
  const { region } = aws.getRegionOutput();

  const scope = pulumi
    .all([accountId, region])
    .apply(([account, region]) => ({ account, region, ...places }));
  const boundary = new aws.iam.Policy("boundary", {
    name: boundaryName,
    description: "What roles of daytona-edge may do at most.",
    policy: aws.iam.getPolicyDocumentOutput({
      statements: scope.apply(boundaryPermissions),
    }).json,
  });

  const role = (
    name: string,
    description: string,
    accepted: readonly string[],
    permissions: (scope: Scope) => Permissions,
  ) => {
    const made = new aws.iam.Role(name, {
      description,
      assumeRolePolicy: aws.iam.getPolicyDocumentOutput({
        statements: [trust(github.arn, accepted)],
      }).json,
    });
    new aws.iam.RolePolicy(`${name}-policy`, {
      role: made.id,
      policy: aws.iam.getPolicyDocumentOutput({
        statements: scope.apply(permissions),
      }).json,
    });
    return made.arn;
  };

  const { pullRequest, main, production } = subjects(repository);
  return {
    AWS_PREVIEW_ROLE: role(
      "github-preview",
      "Previews of daytona-edge: reads only.",
      [pullRequest, main],
      previewPermissions,
    ),
    AWS_UP_ROLE: role(
      "github-up",
      "Deployments of daytona-edge, after its environment let them in.",
      [production],
      upPermissions,
    ),
    AWS_REGION: region,
    /** For `daytona-edge:aws.permissionsBoundary` of the stack. */
    AWS_PERMISSIONS_BOUNDARY: boundary.arn,
    PULUMI_BACKEND_URL: pulumi.interpolate`s3://${places.stateBucket}?region=${region}`,
  };
}
