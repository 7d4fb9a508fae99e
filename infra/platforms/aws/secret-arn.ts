import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

/**
 * The name of a document's secret as policies take it, whether it is there yet
 * or not: Secrets Manager ends a name with six characters of its own.
 */
export function secretArn(
  secretName: string,
  opts: pulumi.InvokeOptions,
): pulumi.Output<string> {
  const { accountId } = aws.getCallerIdentityOutput({}, opts);
  const { region } = aws.getRegionOutput({}, opts);
  return pulumi.interpolate`arn:aws:secretsmanager:${region}:${accountId}:secret:${secretName}-??????`;
}

/** What makes, reads and replaces documents that the stack does not own. */
export function ownDocuments(
  secretNames: readonly string[],
  opts: pulumi.InvokeOptions,
): aws.types.input.iam.GetPolicyDocumentStatementArgs {
  return {
    sid: "Documents",
    actions: [
      "secretsmanager:CreateSecret",
      "secretsmanager:GetSecretValue",
      "secretsmanager:PutSecretValue",
      "secretsmanager:RestoreSecret",
    ],
    resources: secretNames.map((name) => secretArn(name, opts)),
  };
}
