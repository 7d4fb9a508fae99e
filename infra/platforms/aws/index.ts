/**
 * Production: a front door and edges behind it in a network of their own, a
 * network for Daytona's runners without any way to the internet, and the
 * certificate made by a function.
 */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { CertificateCredentials } from "../../certificate/credentials.ts";
import type { StackConfig } from "../../config.ts";
import type { EdgeAddress } from "../../dns.ts";
import { edgeBundle } from "../../edge/bundle.ts";
import { noRevocations } from "../../edge/revocations.ts";
import { authorityDocument } from "../../gateway/authority-document.ts";
import { gatewayBundle } from "../../gateway/bundle.ts";
import { hostsOf } from "../../gateway/rule-maps.ts";
import { rulesDocument } from "../../gateway/rules-document.ts";
import { AlarmTopic } from "./alarms.ts";
import { BundleStore } from "./bundle-store.ts";
import { Certificate } from "./certificate.ts";
import { Edge } from "./edge.ts";
import { EdgeAlarms } from "./edge-alarms.ts";
import { EgressAuthority } from "./egress-authority.ts";
import { Gateway, type GatewayArgs } from "./gateway.ts";
import { LiveState } from "./live-state.ts";
import { SandboxNames } from "./sandbox-names.ts";
import { SandboxesNetwork } from "./sandboxes-network.ts";
import { ServicesNetwork } from "./services-network.ts";
import type { AwsSettings } from "./settings.ts";
import { subnetOf } from "./subnets.ts";

export interface AwsPlatformArgs {
  readonly config: StackConfig;
  readonly settings: AwsSettings;
  /** Address of Cloudflare's API; its own when absent. */
  readonly cloudflareUrl: string | undefined;
  /** What the certificate's program needs and may not show; secret. */
  readonly certificateCredentials: pulumi.Input<CertificateCredentials>;
  /** The live state `access.json`; absent when no tokens are asked for. */
  readonly access: pulumi.Input<string> | undefined;
  /** The live state `egress-credentials.json`; secret. */
  readonly egressCredentials: pulumi.Input<string>;
}

/** What sandboxes must know of the road out. */
interface GatewayOutputs {
  readonly address: pulumi.Input<string>;
  /** PEM; empty when no host is inspected. */
  readonly caCertificate: pulumi.Input<string>;
}

export class AwsPlatform extends pulumi.ComponentResource {
  readonly edge: EdgeAddress;
  readonly sandboxes: SandboxesNetwork;
  readonly gateway: GatewayOutputs | undefined;

  constructor(
    name: string,
    args: AwsPlatformArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    const { settings, config } = args;
    const tags = {
      project: pulumi.getProject(),
      stack: pulumi.getStack(),
    };
    const provider = new aws.Provider(name, {
      region: settings.region as aws.Region,
      defaultTags: { tags },
    });
    super(
      "daytona-edge:aws:Platform",
      name,
      {},
      { ...opts, providers: [provider] },
    );
    const inside = { parent: this };
    const secrets = `${tags.project}/${tags.stack}/`;

    const network = new ServicesNetwork(`${name}-services`, settings, inside);
    this.sandboxes = new SandboxesNetwork(
      `${name}-sandboxes`,
      { settings, services: network },
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
          secret: `${secrets}revocations.json`,
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
                secret: `${secrets}access.json`,
                description: "What sandboxes' tokens are signed with.",
                content: args.access,
              },
              inside,
            ),
          ]
        : []),
    ];
    const edge = new Edge(
      `${name}-edge`,
      {
        config,
        settings,
        bundle: edgeBundle({
          ...config,
          secretsManager: { region: settings.region, prefix: secrets },
          loadBalancers: network.subnets.map((_, zone) =>
            subnetOf(settings.services.cidr, zone),
          ),
        }),
        bundles,
        network,
        secrets: [
          "certificate.json",
          "certificate-report.json",
          "revocations.json",
          ...(args.access ? ["access.json"] : []),
        ].map((document) => `${secrets}${document}`),
        tags,
        after: [certificate, ...liveState],
      },
      inside,
    );
    new EdgeAlarms(
      `${name}-edge-alarms`,
      {
        balancer: edge.balancer,
        minimum: settings.edge.minimum,
        topic: alarms.arn,
      },
      inside,
    );
    this.edge = edge.address;
    this.gateway =
      config.egress &&
      this.roadOut(
        `${name}-gateway`,
        { ...args, egress: config.egress },
        {
          network,
          bundles,
          secrets,
          tags,
        },
      );
    this.registerOutputs({});
  }
  /** Gateways, what they know, and how sandboxes find them. */
  private roadOut(
    name: string,
    args: Pick<AwsPlatformArgs, "settings" | "egressCredentials"> & {
      readonly egress: NonNullable<StackConfig["egress"]>;
    },
    shared: Pick<GatewayArgs, "network" | "bundles" | "tags"> & {
      readonly secrets: string;
    },
  ): GatewayOutputs {
    const { settings, egress } = args;
    const { secrets, ...machines } = shared;
    const inside = { parent: this };
    const inspected = hostsOf(egress.egressRules, "inspect");
    const authority =
      inspected.length > 0
        ? new EgressAuthority(
            `${name}-authority`,
            { hosts: inspected, secrets },
            inside,
          )
        : undefined;
    const credentials = new LiveState(
      `${name}-credentials`,
      {
        secret: `${secrets}egress-credentials.json`,
        description: "What gateways send in the place of sandboxes.",
        content: args.egressCredentials,
      },
      inside,
    );
    // Rules that inspect a host or name a secret need them.
    const rules = new LiveState(
      `${name}-rules`,
      {
        secret: `${secrets}egress-rules.json`,
        description: "What sandboxes may call.",
        content: rulesDocument(egress.egressRules),
      },
      {
        ...inside,
        dependsOn: [credentials, ...(authority ? [authority] : [])],
      },
    );
    const gateway = new Gateway(
      name,
      {
        ...machines,
        settings,
        bundle: gatewayBundle({
          ...egress,
          sandboxes: { interfaces: [], networks: [settings.sandboxes.cidr] },
          rootServers: settings.gateway.rootServers,
          alone: {
            balancers: machines.network.subnets.map((_, zone) =>
              subnetOf(settings.services.cidr, zone),
            ),
            secretsManager: { region: settings.region, prefix: secrets },
          },
        }),
        secrets: [
          "egress-credentials.json",
          authorityDocument,
          "egress-rules.json",
        ].map((document) => `${secrets}${document}`),
        after: [rules],
      },
      inside,
    );
    new SandboxNames(
      `${name}-names`,
      {
        vpcId: this.sandboxes.vpcId,
        hosts: hostsOf(egress.egressRules),
        outside: settings.sandboxes.names,
        gateway: gateway.balancer,
      },
      inside,
    );
    return {
      address: gateway.balancer.dnsName,
      caCertificate: authority?.certificate ?? "",
    };
  }
}
