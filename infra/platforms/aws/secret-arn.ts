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
