/**
 * The road out on AWS: gateways, and what they are told. What a rule needs is
 * there before the rule.
 */
import * as pulumi from "@pulumi/pulumi";
import type { StackConfig } from "../../config/parse.ts";
import { gatewayBundle } from "../../gateway/bundle.ts";
import { hostsOf } from "../../gateway/rule-maps.ts";
import { rulesDocument } from "../../gateway/rules-document.ts";
import {
  egressCredentials,
  egressRules,
  namesReadBy,
} from "../../machine/live-state.ts";
import { EgressAlarm } from "./egress-alarm.ts";
import { EgressAuthority } from "./egress-authority.ts";
import { Gateway, type GatewayArgs, gatewayDrainSeconds } from "./gateway.ts";
import { HealthAlarm } from "./health-alarm.ts";
import { LiveState } from "./live-state.ts";
import { MachineLogs } from "./machine-logs.ts";

export interface RoadOutArgs extends Pick<
  GatewayArgs,
  "settings" | "network" | "networks" | "bundles" | "tags"
> {
  readonly egress: NonNullable<StackConfig["egress"]>;
  /** The live state `egress-credentials.json`; secret. */
  readonly credentials: pulumi.Input<string>;
  /** Goes before the names of the documents in Secrets Manager. */
  readonly secrets: string;
  /** Goes before the name of the log group; as a namespace of figures, too. */
  readonly namespace: string;
  /** Topic that alarms go to. */
  readonly alarmTopic: pulumi.Input<string>;
}

export class RoadOut extends pulumi.ComponentResource {
  /** Name of the gateways' balancer. */
  readonly address: pulumi.Output<string>;
  readonly balancer: Gateway["balancer"];
  /** As figures name the balancer, and its machines. */
  readonly figures: Gateway["figures"];
  readonly logs: MachineLogs;
  readonly publicAddresses: Gateway["publicAddresses"];
  /** PEM of the authority that signs for inspected hosts; empty when there is none. */
  readonly caCertificate: pulumi.Input<string>;

  constructor(
    name: string,
    args: RoadOutArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("daytona-edge:aws:RoadOut", name, {}, opts);
    const inside = { parent: this };
    const { settings, networks, egress, secrets } = args;
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
        secret: `${secrets}${egressCredentials.name}`,
        description: "What gateways send in the place of sandboxes.",
        content: args.credentials,
      },
      inside,
    );
    // Rules that inspect a host or name a secret need them.
    const rules = new LiveState(
      `${name}-rules`,
      {
        secret: `${secrets}${egressRules.name}`,
        description: "What sandboxes may call.",
        content: rulesDocument(egress.egressRules),
      },
      {
        ...inside,
        dependsOn: [credentials, ...(authority ? [authority] : [])],
      },
    );
    this.logs = new MachineLogs(
      `${name}-logs`,
      {
        settings,
        namespace: args.namespace,
        kind: "gateway",
        minimum: settings.gateway.minimum,
        topic: args.alarmTopic,
      },
      inside,
    );
    const gateway = new Gateway(
      name,
      {
        settings,
        network: args.network,
        networks,
        bundles: args.bundles,
        tags: args.tags,
        bundle: gatewayBundle({
          ...egress,
          sandboxes: { interfaces: [], networks: networks.sandboxes.cidrs },
          rootServers: settings.gateway.rootServers,
          alone: {
            balancers: networks.services.subnets,
            drainSeconds: gatewayDrainSeconds,
            secretsManager: { region: settings.region, prefix: secrets },
            logs: this.logs.place,
          },
        }),
        secrets: namesReadBy("gateway").map(
          (document) => `${secrets}${document}`,
        ),
        logGroup: this.logs.group,
        after: [rules],
      },
      inside,
    );
    new HealthAlarm(
      `${name}-health`,
      {
        description: "gateways are healthy: with none, sandboxes call nobody.",
        targets: gateway.figures,
        minimum: settings.gateway.minimum,
        topic: args.alarmTopic,
      },
      inside,
    );
    new EgressAlarm(
      `${name}-egress`,
      {
        logs: this.logs,
        namespace: args.namespace,
        topic: args.alarmTopic,
      },
      inside,
    );
    this.balancer = gateway.balancer;
    this.figures = gateway.figures;
    this.publicAddresses = gateway.publicAddresses;
    this.address = gateway.balancer.dnsName;
    this.caCertificate = authority?.certificate ?? "";
    this.registerOutputs({});
  }
}
