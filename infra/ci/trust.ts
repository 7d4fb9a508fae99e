/** Whose tokens a role takes; nothing in here has a wildcard. */
import type * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";

export const issuer = "token.actions.githubusercontent.com";
/** What aws-actions/configure-aws-credentials has tokens made out for. */
export const audience = "sts.amazonaws.com";

/**
 * What GitHub calls the runs of a repository (the claim `sub`):
 * https://docs.github.com/en/actions/reference/security/oidc
 *
 * A pull request from a fork is `pullRequest`, too, but gets no token: GitHub
 * lets its workflows have `id-token: read` at most.
 * @param repository OWNER/NAME, or OWNER@ID/NAME@ID
 */
export function subjects(repository: string) {
  return {
    pullRequest: `repo:${repository}:pull_request`,
    main: `repo:${repository}:ref:refs/heads/main`,
    production: `repo:${repository}:environment:production`,
  };
}

export function trust(
  provider: pulumi.Input<string>,
  accepted: readonly string[],
): aws.types.input.iam.GetPolicyDocumentStatementArgs {
  return {
    actions: ["sts:AssumeRoleWithWebIdentity"],
    principals: [{ type: "Federated", identifiers: [provider] }],
    conditions: [
      {
        test: "StringEquals",
        variable: `${issuer}:aud`,
        values: [audience],
      },
      {
        test: "StringEquals",
        variable: `${issuer}:sub`,
        values: [...accepted],
      },
    ],
  };
}
