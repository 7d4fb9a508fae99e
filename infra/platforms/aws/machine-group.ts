/**
 * Machines of one kind over the zones: each boots from the same bundle, and
 * another bundle is other machines, which come before the old ones go.
 */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { gzipSync } from "node:zlib";
import type { Bundle } from "../../machine/bundle.ts";
import { capacity } from "./capacity.ts";
import { awsUserData } from "./machine/user-data.ts";
import type { BundleStore } from "./bundle-store.ts";
import { secretArn } from "./secret-arn.ts";
import type { AwsSettings, MachineSettings } from "./settings.ts";

export interface MachineGroupArgs {
  readonly bundle: Bundle;
  readonly bundles: BundleStore;
  readonly settings: Pick<AwsSettings, "region" | "architecture">;
  readonly machines: MachineSettings;
  readonly subnetIds: readonly pulumi.Input<string>[];
  readonly securityGroupIds: readonly pulumi.Input<string>[];
  readonly targetGroupArns: readonly pulumi.Input<string>[];
  /** Names of the secrets that the machines read. */
  readonly secrets: readonly string[];
  /** Log group that the machines write to. */
  readonly logGroup: Pick<aws.cloudwatch.LogGroup, "arn">;
  /** How long a machine that goes may take to finish its streams, in seconds. */
  readonly drainSeconds: number;
  /** Of the machines, their disks and their interfaces. */
  readonly tags: Readonly<Record<string, string>>;
  /** What machines need to be healthy. */
  readonly after: readonly pulumi.Resource[];
}

/** Where Debian says its images are: https://wiki.debian.org/Cloud/AmazonEC2Image */
const imageParameter = (architecture: string) =>
  `/aws/service/debian/release/13/latest/${architecture}`;

/** How long a new machine may take until the balancer finds it healthy, in seconds. */
const bootSeconds = 300;
/** The longest that Auto Scaling waits without a sign, in seconds. */
const longestHeartbeat = 7200;
/** Bytes that a machine sends in a minute before another one is added. */
const busyBytes = 1_500_000_000;

export class MachineGroup extends pulumi.ComponentResource {
  constructor(
    name: string,
    args: MachineGroupArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("daytona-edge:aws:MachineGroup", name, {}, opts);
    const { region, architecture } = args.settings;
    const bundle = args.bundles.put(`${name}-bundle`, args.bundle);
    const userData = pulumi
      .all([bundle.bucket, bundle.key, bundle.sha256])
      .apply(([bucket, key, sha256]) =>
        gzipSync(awsUserData({ region, bucket, key, sha256 })).toString(
          "base64",
        ),
      );
    const image = aws.ssm.getParameterOutput(
      { name: imageParameter(architecture) },
      { parent: this },
    );
    const template = new aws.ec2.LaunchTemplate(
      `${name}-template`,
      {
        // It says no secret: anybody who may read the account's parameters may
        // know which image Debian's newest is.
        imageId: pulumi.unsecret(image.value),
        instanceType: args.machines.instanceType,
        userData,
        updateDefaultVersion: true,
        iamInstanceProfile: { arn: this.profile(name, args, bundle.arn) },
        networkInterfaces: [
          {
            deviceIndex: 0,
            associatePublicIpAddress: "true",
            securityGroups: [...args.securityGroupIds],
          },
        ],
        metadataOptions: {
          httpEndpoint: "enabled",
          httpTokens: "required",
          httpPutResponseHopLimit: 1,
        },
        blockDeviceMappings: [
          {
            deviceName: "/dev/xvda",
            ebs: {
              volumeType: "gp3",
              volumeSize: 8,
              encrypted: "true",
              deleteOnTermination: "true",
            },
          },
        ],
        monitoring: { enabled: true },
        tagSpecifications: ["instance", "volume", "network-interface"].map(
          (resourceType) => ({ resourceType, tags: args.tags }),
        ),
      },
      { parent: this },
    );
    const group = new aws.autoscaling.Group(
      `${name}-group`,
      {
        minSize: args.machines.minimum,
        maxSize: args.machines.maximum,
        vpcZoneIdentifiers: [...args.subnetIds],
        targetGroupArns: [...args.targetGroupArns],
        ...capacity(args.machines, {
          id: template.id,
          version: template.latestVersion.apply(String),
        }),
        healthCheckType: "ELB",
        healthCheckGracePeriod: bootSeconds,
        // "up" ends when machines serve, and fails when they do not.
        minElbCapacity: args.machines.minimum,
        waitForCapacityTimeout: `${String(2 * bootSeconds)}s`,
        instanceRefresh: {
          strategy: "Rolling",
          preferences: {
            // New ones come first.
            minHealthyPercentage: 100,
            maxHealthyPercentage: 200,
            instanceWarmup: "60",
            autoRollback: true,
            skipMatching: true,
          },
        },
        enabledMetrics: ["GroupInServiceInstances", "GroupDesiredCapacity"],
      },
      // How many there are between minimum and maximum is the policy's.
      {
        parent: this,
        ignoreChanges: ["desiredCapacity"],
        dependsOn: [...args.after],
      },
    );
    new aws.autoscaling.LifecycleHook(
      `${name}-drain`,
      {
        autoscalingGroupName: group.name,
        lifecycleTransition: "autoscaling:EC2_INSTANCE_TERMINATING",
        heartbeatTimeout: Math.min(args.drainSeconds, longestHeartbeat),
        defaultResult: "CONTINUE",
      },
      { parent: this },
    );
    new aws.autoscaling.Policy(
      `${name}-scaling`,
      {
        autoscalingGroupName: group.name,
        policyType: "TargetTrackingScaling",
        targetTrackingConfiguration: {
          predefinedMetricSpecification: {
            predefinedMetricType: "ASGAverageNetworkOut",
          },
          targetValue: busyBytes,
        },
      },
      { parent: this },
    );
    this.registerOutputs({});
  }

  /** May read its bundle and its documents, write its log, and nothing else. */
  private profile(
    name: string,
    args: MachineGroupArgs,
    bundle: pulumi.Input<string>,
  ): pulumi.Output<string> {
    const role = new aws.iam.Role(
      `${name}-role`,
      {
        assumeRolePolicy: aws.iam.assumeRolePolicyForPrincipal({
          Service: "ec2.amazonaws.com",
        }),
      },
      { parent: this },
    );
    new aws.iam.RolePolicy(
      `${name}-policy`,
      {
        role: role.id,
        policy: aws.iam.getPolicyDocumentOutput(
          {
            statements: [
              {
                sid: "Bundle",
                actions: ["s3:GetObject"],
                resources: [bundle],
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
                  secretArn(secret, { parent: this }),
                ),
              },
              {
                sid: "Log",
                actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
                resources: [pulumi.interpolate`${args.logGroup.arn}:*`],
              },
            ],
          },
          { parent: this },
        ).json,
      },
      { parent: this },
    );
    return new aws.iam.InstanceProfile(
      `${name}-profile`,
      { role: role.name },
      { parent: this },
    ).arn;
  }
}
