/** What the machines of a group may do at AWS, and nothing else. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import {
  type PublicAddresses,
  publicAddressRights,
} from "./public-addresses.ts";
import { secretArn } from "./secret-arn.ts";

type Statement = aws.types.input.iam.GetPolicyDocumentStatementArgs;

export interface MachineRoleArgs {
  /** ARNs of the bundles they are made from. */
  readonly bundles: pulumi.Input<string>;
  /** Names of the secrets that they read. */
  readonly secrets: readonly string[];
  /** Log group that they write to. */
  readonly logGroup: Pick<aws.cloudwatch.LogGroup, "arn">;
  /** What they may take one of. */
  readonly publicAddresses: PublicAddresses | undefined;
  /** An operator may open a session on them. */
  readonly sessions: boolean;
  readonly tags: Readonly<Record<string, string>>;
}

export interface MachineRole {
  readonly id: pulumi.Output<string>;
  readonly profile: aws.iam.InstanceProfile;
}

export function machineRole(
  name: string,
  args: MachineRoleArgs,
  parent: pulumi.Resource,
): MachineRole {
  const role = new aws.iam.Role(
    `${name}-role`,
    {
      assumeRolePolicy: aws.iam.assumeRolePolicyForPrincipal({
        Service: "ec2.amazonaws.com",
      }),
    },
    { parent },
  );
  const profile = new aws.iam.InstanceProfile(
    `${name}-profile`,
    { role: role.name },
    { parent },
  );
  new aws.iam.RolePolicy(
    `${name}-policy`,
    {
      role: role.id,
      policy: document(
        [
          {
            sid: "Bundle",
            actions: ["s3:GetObject"],
            resources: [args.bundles],
          },
          // It says nothing by itself: each secret is asked for as well.
          {
            sid: "ManyAtOnce",
            actions: ["secretsmanager:BatchGetSecretValue"],
            resources: ["*"],
          },
          {
            sid: "Documents",
            actions: ["secretsmanager:GetSecretValue"],
            resources: args.secrets.map((secret) =>
              secretArn(secret, { parent }),
            ),
          },
          {
            sid: "Log",
            actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
            resources: [pulumi.interpolate`${args.logGroup.arn}:*`],
          },
          ...(args.sessions ? [sessions] : []),
          ...(args.publicAddresses
            ? publicAddressRights(args.publicAddresses, {
                profile: profile.arn,
                tags: args.tags,
                parent,
              })
            : []),
        ],
        parent,
      ),
    },
    { parent },
  );
  return { id: role.id, profile };
}

/** A machine of the group may say that it is drained, or not yet. */
export function mayEndItsDrain(
  name: string,
  role: MachineRole,
  group: aws.autoscaling.Group,
  parent: pulumi.Resource,
): void {
  new aws.iam.RolePolicy(
    name,
    {
      role: role.id,
      policy: document(
        [
          {
            sid: "OwnGroup",
            actions: [
              "autoscaling:CompleteLifecycleAction",
              "autoscaling:RecordLifecycleActionHeartbeat",
            ],
            resources: [group.arn],
          },
        ],
        parent,
      ),
    },
    { parent },
  );
}

/**
 * As little as Session Manager does with:
 * https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-create-iam-instance-profile.html
 * AWS' own policy for it would let machines read parameters of the account.
 */
const sessions: Statement = {
  sid: "Sessions",
  actions: [
    "ssm:UpdateInstanceInformation",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
  ],
  resources: ["*"],
};

function document(
  statements: Statement[],
  parent: pulumi.Resource,
): pulumi.Output<string> {
  return aws.iam.getPolicyDocumentOutput({ statements }, { parent }).json;
}
