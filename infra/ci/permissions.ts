/**
 * What the roles may do. What a preview with a refresh asks AWS follows from
 * the types of infra/platforms/aws; a new one there needs its line here, which
 * a test says.
 */
import { namesWrittenBy } from "../machine/live-state.ts";
import { boundaryArn } from "./boundary.ts";
import {
  type Permissions,
  type Scope,
  documents,
  own,
  ownBuckets,
  project,
  secrets,
  stack,
} from "./scope.ts";

/** Modules of Pulumi's provider → how their resources are read. */
export const reads: Readonly<Record<string, readonly string[]>> = {
  autoscaling: ["autoscaling:Describe*"],
  cloudwatch: [
    "cloudwatch:DescribeAlarms",
    "cloudwatch:GetDashboard",
    "cloudwatch:ListTagsForResource",
    "logs:DescribeLogGroups",
    "logs:DescribeMetricFilters",
    "logs:ListTagsForResource",
  ],
  ec2: ["ec2:Describe*"],
  iam: [
    "iam:GetInstanceProfile",
    "iam:GetRole",
    "iam:GetRolePolicy",
    "iam:ListAttachedRolePolicies",
    "iam:ListInstanceProfilesForRole",
    "iam:ListRolePolicies",
  ],
  lambda: ["lambda:Get*", "lambda:List*"],
  lb: ["elasticloadbalancing:Describe*"],
  route53: [
    "route53:Get*",
    "route53:List*",
    "route53resolver:Get*",
    "route53resolver:List*",
  ],
  // Objects of the stack's own bucket alone; see below.
  s3: [],
  scheduler: ["scheduler:Get*", "scheduler:List*"],
  // Values of the stack's own alone; see below.
  secretsmanager: [
    "secretsmanager:DescribeSecret",
    "secretsmanager:GetResourcePolicy",
  ],
  sns: ["sns:Get*", "sns:List*"],
  // Messages are not read.
  sqs: ["sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ListQueueTags"],
  vpc: ["ec2:Describe*"],
};

/** Documents whose values the stack writes; it knows no other's. */
export const ownDocuments = namesWrittenBy("stack");

/** Reads, and nothing else. */
export function previewPermissions(scope: Scope): Permissions {
  const { region, stateBucket, secretsKey } = scope;
  const state = `arn:aws:s3:::${stateBucket}`;
  return [
    {
      sid: "Resources",
      actions: [...new Set(Object.values(reads).flat())],
      resources: ["*"],
    },
    {
      sid: "Bundles",
      actions: [
        "s3:GetAccelerateConfiguration",
        "s3:GetBucket*",
        "s3:GetEncryptionConfiguration",
        "s3:GetLifecycleConfiguration",
        "s3:GetObject",
        "s3:GetObjectTagging",
        "s3:GetReplicationConfiguration",
        "s3:ListBucket",
      ],
      resources: [`arn:aws:s3:::${ownBuckets}`],
    },
    {
      sid: "Documents",
      actions: ["secretsmanager:GetSecretValue"],
      resources: ownDocuments.map((name) => `${secrets(scope, name)}-??????`),
    },
    {
      sid: "Images",
      actions: ["ssm:GetParameter", "ssm:GetParameters"],
      resources: [`arn:aws:ssm:${region}::parameter/aws/service/debian/*`],
    },
    // A preview takes no lock.
    {
      sid: "State",
      actions: ["s3:GetObject"],
      resources: [
        `${state}/.pulumi/meta.yaml`,
        `${state}/.pulumi/stacks/${project}/${stack}.*`,
      ],
    },
    { sid: "StateNames", actions: ["s3:ListBucket"], resources: [state] },
    { sid: "Secrets", actions: ["kms:Decrypt"], resources: [secretsKey] },
  ];
}

/**
 * Makes, changes and removes what the stack is made of. What its roles may be
 * given ends at the boundary; the networks, names and machines of the account
 * do not, so give the stack an account of its own.
 */
export function upPermissions(scope: Scope): Permissions {
  const { account, stateBucket, secretsKey } = scope;
  const named = (kind: string) =>
    own.map((name) => `arn:aws:iam::${account}:${kind}/${name}`);
  const state = `arn:aws:s3:::${stateBucket}/.pulumi`;
  const services = Object.entries(reads)
    .filter(([module]) => !["iam", "secretsmanager"].includes(module))
    .flatMap(([, actions]) => actions)
    .map((action) => action.replace(/:.*/, ":*"));
  return [
    ...previewPermissions(scope),
    {
      sid: "ChangeResources",
      actions: [...new Set(services)],
      resources: ["*"],
    },
    {
      sid: "ChangeBundles",
      actions: ["s3:*"],
      resources: [`arn:aws:s3:::${ownBuckets}`],
    },
    {
      sid: "ChangeDocuments",
      actions: ["secretsmanager:*"],
      resources: [documents(scope)],
    },
    {
      sid: "ChangeRoles",
      actions: [
        "iam:AddRoleToInstanceProfile",
        "iam:CreateInstanceProfile",
        "iam:DeleteInstanceProfile",
        "iam:DeleteRole",
        "iam:DeleteRolePolicy",
        "iam:PassRole",
        "iam:RemoveRoleFromInstanceProfile",
        "iam:TagInstanceProfile",
        "iam:TagRole",
        "iam:UntagInstanceProfile",
        "iam:UntagRole",
        "iam:UpdateAssumeRolePolicy",
        "iam:UpdateRole",
      ],
      resources: [...named("role"), ...named("instance-profile")],
    },
    // What gives rights gives them to bound roles only; nothing here takes the
    // boundary off a role, or writes it.
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
    {
      sid: "GiveRights",
      actions: [
        "iam:CreateRole",
        "iam:PutRolePermissionsBoundary",
        "iam:PutRolePolicy",
      ],
      resources: named("role"),
      conditions: [
        {
          test: "StringEquals",
          variable: "iam:PermissionsBoundary",
          values: [boundaryArn(scope)],
        },
      ],
    },
    // Balancers and scaling groups ask for one of AWS' own, once.
    {
      sid: "ServiceRoles",
      actions: ["iam:CreateServiceLinkedRole"],
      resources: [`arn:aws:iam::${account}:role/aws-service-role/*`],
    },
    {
      sid: "ChangeState",
      actions: ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
      resources: [
        `${state}/stacks/${project}/${stack}.*`,
        `${state}/history/${project}/${stack}/*`,
        `${state}/backups/${project}/${stack}/*`,
        `${state}/locks/organization/${project}/${stack}/*`,
      ],
    },
    // Where the bucket of the state encrypts with it as well.
    {
      sid: "EncryptState",
      actions: ["kms:GenerateDataKey"],
      resources: [secretsKey],
    },
  ];
}
