/**
 * What a role of the stack can do at most. The role that deploys may make roles,
 * and with this on each of them none that could do more than those that the
 * stack needs: it cannot give itself the account by a role that it writes.
 */
import {
  type Permissions,
  type Scope,
  documents,
  machineLogs,
  own,
  ownBuckets,
  project,
  stack,
} from "./scope.ts";

/** Its name is known before it is made: the policies that demand it name it. */
export function boundaryArn({ account }: Pick<Scope, "account">): string {
  return `arn:aws:iam::${account}:policy/${boundaryName}`;
}

export const boundaryName = "daytona-edge-prod-boundary";

export function boundaryPermissions(scope: Scope): Permissions {
  const { account, region } = scope;
  const named = (service: string, kind: string) =>
    own.map((name) => `arn:aws:${service}:${region}:${account}:${kind}${name}`);
  return [
    {
      sid: "Documents",
      actions: [
        "secretsmanager:CreateSecret",
        "secretsmanager:GetSecretValue",
        "secretsmanager:PutSecretValue",
        "secretsmanager:RestoreSecret",
      ],
      resources: [documents(scope)],
    },
    // It says nothing by itself: each secret is asked for as well.
    {
      sid: "ManyAtOnce",
      actions: ["secretsmanager:BatchGetSecretValue"],
      resources: ["*"],
    },
    {
      sid: "Bundles",
      actions: ["s3:GetObject"],
      resources: [`arn:aws:s3:::${ownBuckets}`],
    },
    {
      sid: "Logs",
      actions: [
        "logs:CreateLogStream",
        "logs:DescribeLogStreams",
        "logs:PutLogEvents",
      ],
      resources: [...named("logs", "log-group:"), machineLogs(scope)],
    },
    // Machines say when they are drained, and take a public address.
    {
      sid: "Drains",
      actions: [
        "autoscaling:CompleteLifecycleAction",
        "autoscaling:RecordLifecycleActionHeartbeat",
      ],
      resources: named(
        "autoscaling",
        "autoScalingGroup:*:autoScalingGroupName/",
      ),
    },
    {
      sid: "Addresses",
      actions: ["ec2:AssociateAddress"],
      resources: ["elastic-ip", "instance", "network-interface"].map(
        (kind) => `arn:aws:ec2:${region}:${account}:${kind}/*`,
      ),
      conditions: Object.entries({ project, stack }).map(([tag, value]) => ({
        test: "StringEquals",
        variable: `aws:ResourceTag/${tag}`,
        values: [value],
      })),
    },
    // They know no resources: who opens a session is another policy's.
    {
      sid: "Sessions",
      actions: [
        "ssm:UpdateInstanceInformation",
        "ssmmessages:CreateControlChannel",
        "ssmmessages:CreateDataChannel",
        "ssmmessages:OpenControlChannel",
        "ssmmessages:OpenDataChannel",
      ],
      resources: ["*"],
    },
    {
      sid: "Functions",
      actions: ["lambda:InvokeFunction"],
      resources: named("lambda", "function:"),
    },
    {
      sid: "DeadLetters",
      actions: ["sqs:SendMessage"],
      resources: named("sqs", ""),
    },
  ];
}
