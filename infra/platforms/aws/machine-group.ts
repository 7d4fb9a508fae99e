/**
 * Machines of one kind over the zones: each boots from the same bundle, and
 * another bundle is other machines, which come before the old ones go. AWS
 * replaces them behind an "up" that has ended.
 */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { gzipSync } from "node:zlib";
import type { Bundle } from "../../machine/bundle.ts";
import type { BundleStore } from "./bundle-store.ts";
import { capacity, spareShare } from "./capacity.ts";
import { machineRole, mayEndItsDrain } from "./machine-role.ts";
import { onAws } from "./machine/bundle.ts";
import { awsUserData } from "./machine/user-data.ts";
import type { PublicAddresses } from "./public-addresses.ts";
import type { ServicesNetwork } from "./services-network.ts";
import type { AwsSettings, MachineSettings } from "./settings.ts";

export interface MachineGroupArgs {
  readonly bundle: Bundle;
  readonly bundles: BundleStore;
  readonly settings: Pick<
    AwsSettings,
    "region" | "architecture" | "sessionManager"
  >;
  readonly machines: MachineSettings;
  readonly subnetIds: readonly pulumi.Input<string>[];
  readonly securityGroupIds: readonly pulumi.Input<string>[];
  readonly targetGroupArns: readonly pulumi.Input<string>[];
  /** Names of the secrets that the machines read. */
  readonly secrets: readonly string[];
  /** Log group that the machines write to. */
  readonly logGroup: Pick<aws.cloudwatch.LogGroup, "arn">;
  /** Unit that serves; stopping it drains the machine. */
  readonly servingUnit: string;
  /** How long a machine that goes may take to finish its streams, in seconds. */
  readonly drainSeconds: number;
  /** Each machine serves from one of these; from any address when absent. */
  readonly publicAddresses?: PublicAddresses;
  /** Of the machines, their disks and their interfaces. */
  readonly tags: Readonly<Record<string, string>>;
  /** What machines need to be healthy. */
  readonly after: readonly pulumi.Resource[];
}

/** What an edge's machines and a gateway's are given from outside. */
export interface MachinesArgs extends Pick<
  MachineGroupArgs,
  "bundle" | "bundles" | "secrets" | "logGroup" | "tags" | "after"
> {
  readonly settings: AwsSettings;
  readonly network: ServicesNetwork;
}

/** Where Debian says its images are: https://wiki.debian.org/Cloud/AmazonEC2Image */
const imageParameter = (architecture: string) =>
  `/aws/service/debian/release/13/latest/${architecture}`;

/** How long a new machine may take until the balancer finds it healthy, in seconds. */
const bootSeconds = 300;
/** Name of the hook by which a machine that goes is waited for. */
const lifecycleHook = "drain";
/** The longest that Auto Scaling waits without a sign, in seconds. */
const longestHeartbeat = 7200;
/** What a drain takes besides its streams, in seconds: being looked away from. */
const drainSlack = 120;
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
    const { publicAddresses } = args;
    const heartbeat = Math.min(
      args.drainSeconds + drainSlack,
      longestHeartbeat,
    );
    const bundle = args.bundles.put(
      `${name}-bundle`,
      onAws(args.bundle, {
        region,
        lifecycleHook,
        servingUnit: args.servingUnit,
        // A sign that is lost is followed by another one in time.
        heartbeatSeconds: Math.floor(heartbeat / 4),
        publicAddress: publicAddresses !== undefined,
      }),
    );
    const userData = pulumi
      .all([
        bundle.bucket,
        bundle.key,
        bundle.sha256,
        publicAddresses?.listed ?? [],
      ])
      .apply(([bucket, key, sha256, listed]) =>
        gzipSync(
          awsUserData({
            ...{ region, bucket, key, sha256 },
            publicAddresses: listed,
            sessionManager: args.settings.sessionManager,
          }),
        ).toString("base64"),
      );
    const role = machineRole(
      name,
      {
        ...{ bundles: bundle.arns, secrets: args.secrets, tags: args.tags },
        ...{ logGroup: args.logGroup, publicAddresses },
        sessions: args.settings.sessionManager !== undefined,
      },
      this,
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
        iamInstanceProfile: { arn: role.profile.arn },
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
          // By a tag a machine knows its group.
          instanceMetadataTags: "enabled",
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
        // A new one may wait for the address of an old one that drains.
        healthCheckGracePeriod:
          bootSeconds + (publicAddresses ? args.drainSeconds : 0),
        // The first "up" ends when machines serve, and fails when they do not.
        // Later ones wait only where "minimum" has changed.
        minElbCapacity: args.machines.minimum,
        waitForCapacityTimeout: `${String(2 * bootSeconds)}s`,
        instanceRefresh: {
          strategy: "Rolling",
          preferences: {
            // New ones come first.
            minHealthyPercentage: 100,
            maxHealthyPercentage:
              100 + spareShare(args.machines, publicAddresses !== undefined),
            instanceWarmup: "60",
            skipMatching: true,
            // No autoRollback: the provider gives the group the new template
            // before it starts this, so AWS would "roll back" to that one for
            // ever (hashicorp/terraform-provider-aws#34189). Without it a refresh
            // that comes to nothing ends, and the old machines stay.
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
        name: lifecycleHook,
        autoscalingGroupName: group.name,
        lifecycleTransition: "autoscaling:EC2_INSTANCE_TERMINATING",
        heartbeatTimeout: heartbeat,
        defaultResult: "CONTINUE",
      },
      { parent: this },
    );
    mayEndItsDrain(`${name}-drain-policy`, role, group, this);
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
}
