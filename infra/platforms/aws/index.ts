/**
 * Production: a front door and edges behind it in a network of their own, a
 * network for Daytona's runners without any way to the internet, and the
 * certificate made by a function.
 */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { edgeBundle } from "../../edge/bundle.ts";
import { noRevocations } from "../../edge/revocations.ts";
import { hostsOf } from "../../gateway/rule-maps.ts";
import {
  accessKeys,
  namesReadBy,
  revocations,
} from "../../machine/live-state.ts";
import type { Platform, PlatformArgs } from "../platform.ts";
import { AlarmTopic } from "./alarms.ts";
import { BundleStore } from "./bundle-store.ts";
import { Certificate } from "./certificate.ts";
import { Dashboard } from "./dashboard.ts";
import { Edge } from "./edge.ts";
import { EdgeAlarm } from "./edge-alarm.ts";
import { HealthAlarm } from "./health-alarm.ts";
import { LiveState } from "./live-state.ts";
import { MachineLogs } from "./machine-logs.ts";
import { RoadOut } from "./road-out.ts";
import { SandboxNames } from "./sandbox-names.ts";
import { SandboxesNetwork } from "./sandboxes-network.ts";
import { ServicesNetwork } from "./services-network.ts";
import { type Networks, plannedNetworks } from "./networks.ts";
import { boundRoles } from "./permissions-boundary.ts";
import type { AwsSettings } from "./settings.ts";

export interface AwsPlatformArgs extends PlatformArgs {
  readonly settings: AwsSettings;
  readonly networks: Networks;
  /** Of everything that the stack makes. */
  readonly tags: { readonly project: string; readonly stack: string };
}

/**
 * Asks AWS what is there already, and only then plans anything.
 * @throws pulumi.RunError when a network cannot be adopted
 */
export async function awsPlatform(
  name: string,
  args: Omit<AwsPlatformArgs, "networks" | "tags">,
): Promise<AwsPlatform> {
  const { settings } = args;
  const tags = { project: pulumi.getProject(), stack: pulumi.getStack() };
  const provider = new aws.Provider(name, {
    region: knownRegion(settings.region),
    defaultTags: { tags },
  });
  const networks = await plannedNetworks(settings, { provider });
  return new AwsPlatform(
    name,
    { ...args, networks, tags },
    {
      providers: [provider],
      transforms: settings.permissionsBoundary
        ? [boundRoles(settings.permissionsBoundary)]
        : [],
    },
  );
}

/** @throws pulumi.RunError for one that the provider does not know */
function knownRegion(name: string): aws.Region {
  const known = Object.values(aws.types.enums.Region);
  const region = known.find((one) => one === name);
  if (region) return region;
  throw new pulumi.RunError(
    `daytona-edge:aws.region  ${JSON.stringify(name)} is none of AWS's regions; set it to one of ${known.join(", ")}`,
  );
}

export class AwsPlatform extends pulumi.ComponentResource implements Platform {
  readonly edge: Platform["edge"];
  readonly gateway: Platform["gateway"];
  readonly keepsRecords = true;

  constructor(
    name: string,
    args: AwsPlatformArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("daytona-edge:aws:Platform", name, {}, opts);
    const { settings, networks, config, tags } = args;
    const inside = { parent: this };
    // What is not named by Pulumi is named so: log groups, figures, secrets.
    const namespace = `${tags.project}/${tags.stack}`;
    const secrets = `${namespace}/`;

    const network = new ServicesNetwork(
      `${name}-services`,
      networks.services,
      inside,
    );
    const sandboxes = new SandboxesNetwork(
      `${name}-sandboxes`,
      { settings, networks, services: network },
      inside,
    );
    const alarms = new AlarmTopic(
      `${name}-alarms`,
      { emails: settings.alarmEmails },
      inside,
    );
    const certificate = new Certificate(
      `${name}-certificate`,
      {
        config,
        cloudflareUrl: args.cloudflareUrl,
        credentials: args.certificateCredentials,
        secrets,
        alarmTopic: alarms.arn,
      },
      inside,
    );
    const bundles = new BundleStore(`${name}-bundles`, inside);
    const liveState = [
      new LiveState(
        `${name}-revocations`,
        {
          secret: `${secrets}${revocations.name}`,
          description: "Sandboxes' tokens that count no more.",
          content: noRevocations,
          onlyFirst: true,
        },
        inside,
      ),
      ...(args.access
        ? [
            new LiveState(
              `${name}-access`,
              {
                secret: `${secrets}${accessKeys.name}`,
                description: "What sandboxes' tokens are signed with.",
                content: args.access,
              },
              inside,
            ),
          ]
        : []),
    ];
    const edgeLogs = new MachineLogs(
      `${name}-edge-logs`,
      {
        settings,
        namespace,
        kind: "edge",
        minimum: settings.edge.minimum,
        topic: alarms.arn,
      },
      inside,
    );
    const edge = new Edge(
      `${name}-edge`,
      {
        config,
        settings,
        bundle: edgeBundle({
          ...config,
          secretsManager: { region: settings.region, prefix: secrets },
          loadBalancers: networks.services.subnets,
          logs: edgeLogs.place,
        }),
        bundles,
        network,
        secrets: namesReadBy("edge")
          .filter(
            (document) =>
              args.access !== undefined || document !== accessKeys.name,
          )
          .map((document) => `${secrets}${document}`),
        logGroup: edgeLogs.group,
        tags,
        after: [certificate, ...liveState],
      },
      inside,
    );
    new HealthAlarm(
      `${name}-edge-health`,
      {
        description: "edges are healthy: with none, no sandbox is reached.",
        targets: edge.balancer.figures,
        minimum: settings.edge.minimum,
        topic: alarms.arn,
      },
      inside,
    );
    new EdgeAlarm(
      `${name}-edge-answers`,
      { logs: edgeLogs, namespace, topic: alarms.arn },
      inside,
    );
    this.edge = edge.address;
    const roadOut =
      config.egress &&
      new RoadOut(
        `${name}-gateway`,
        {
          settings,
          egress: config.egress,
          credentials: args.egressCredentials,
          network,
          networks,
          bundles,
          secrets,
          namespace,
          tags,
          alarmTopic: alarms.arn,
        },
        inside,
      );
    // Without a road out its machines look up nothing at all.
    new SandboxNames(
      `${name}-sandboxes-names`,
      {
        vpcId: sandboxes.vpcId,
        hosts: hostsOf(config.egress?.egressRules ?? []),
        outside: settings.sandboxes.names,
        gateway: roadOut?.balancer,
      },
      inside,
    );
    this.gateway = roadOut;
    new Dashboard(
      `${name}-dashboard`,
      {
        region: settings.region,
        namespace,
        certificate: certificate.figuresName,
        edge: { logs: edgeLogs, figures: edge.balancer.figures },
        gateway: roadOut,
      },
      inside,
    );
    this.registerOutputs({});
  }
}
