/** Which of AWS' services may take a role, and for whom. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

/**
 * Services that say for which resource they take a role, so that no other
 * account's resource makes them take ours.
 * @see https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
 * @see https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html
 */
const sources = {
  "scheduler.amazonaws.com": (region: string, account: string) =>
    `arn:aws:scheduler:${region}:${account}:schedule-group/default`,
  "vpc-flow-logs.amazonaws.com": (region: string, account: string) =>
    `arn:aws:ec2:${region}:${account}:vpc-flow-log/*`,
} as const;

/**
 * The trust policy of a role for a service that is told by ARN what to do with
 * it. Machines' and functions' roles need no more than the service's name: who
 * gives one of them a role needs `iam:PassRole`, which ends at the account, and
 * AWS documents no such condition for them.
 */
export function serviceTrust(
  service: keyof typeof sources,
  opts: pulumi.InvokeOptions,
): pulumi.Output<string> {
  const { accountId } = aws.getCallerIdentityOutput({}, opts);
  const { region } = aws.getRegionOutput({}, opts);
  return aws.iam.getPolicyDocumentOutput(
    {
      statements: [
        {
          actions: ["sts:AssumeRole"],
          principals: [{ type: "Service", identifiers: [service] }],
          conditions: [
            {
              test: "StringEquals",
              variable: "aws:SourceAccount",
              values: [accountId],
            },
            {
              test: "ArnLike",
              variable: "aws:SourceArn",
              values: [
                pulumi
                  .all([region, accountId])
                  .apply(([region, account]) =>
                    sources[service](region, account),
                  ),
              ],
            },
          ],
        },
      ],
    },
    opts,
  ).json;
}
