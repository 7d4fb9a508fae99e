/**
 * What machines of the sandboxes' network can look up: the listed hosts, which
 * are the gateway there, and the names that are configured. Nothing else is
 * even asked for: a name that leaves is data that leaves.
 */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { gatewayName } from "../../gateway/address.ts";

export interface SandboxNamesArgs {
  readonly vpcId: pulumi.Input<string>;
  /** Exact names; `*.` in front stands for the names below. */
  readonly hosts: readonly string[];
  /** Names that lead where the world says, for example Daytona's own. */
  readonly outside: readonly string[];
  /** Who answers for the hosts; absent in a stack that has no road out. */
  readonly gateway: GatewayName | undefined;
}

interface GatewayName {
  readonly dnsName: pulumi.Input<string>;
  readonly zoneId: pulumi.Input<string>;
}

export class SandboxNames extends pulumi.ComponentResource {
  constructor(
    name: string,
    args: SandboxNamesArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("daytona-edge:aws:SandboxNames", name, {}, opts);
    const { gateway } = args;
    const hosts = gateway ? [...args.hosts, gatewayName] : [];
    if (gateway) {
      for (const host of hosts) this.zone(name, host, args.vpcId, gateway);
    }
    const domains = [...hosts, ...args.outside].sort();
    const all = new aws.route53.ResolverFirewallDomainList(
      `${name}-all`,
      { domains: ["*"] },
      { parent: this },
    );
    const rules = new aws.route53.ResolverFirewallRuleGroup(
      `${name}-rules`,
      {},
      { parent: this },
    );
    if (domains.length > 0) {
      const listed = new aws.route53.ResolverFirewallDomainList(
        `${name}-listed`,
        { domains },
        { parent: this },
      );
      new aws.route53.ResolverFirewallRule(
        `${name}-allow`,
        {
          firewallRuleGroupId: rules.id,
          firewallDomainListId: listed.id,
          priority: 100,
          action: "ALLOW",
        },
        { parent: this },
      );
    }
    new aws.route53.ResolverFirewallRule(
      `${name}-block`,
      {
        firewallRuleGroupId: rules.id,
        firewallDomainListId: all.id,
        priority: 200,
        action: "BLOCK",
        blockResponse: "NXDOMAIN",
      },
      { parent: this },
    );
    new aws.route53.ResolverFirewallRuleGroupAssociation(
      `${name}-association`,
      {
        firewallRuleGroupId: rules.id,
        vpcId: args.vpcId,
        priority: 101,
        mutationProtection: "ENABLED",
      },
      { parent: this },
    );
    new aws.route53.ResolverFirewallConfig(
      `${name}-closed`,
      // Where the firewall itself is ill, nothing is answered.
      { resourceId: args.vpcId, firewallFailOpen: "DISABLED" },
      { parent: this },
    );
    this.registerOutputs({});
  }

  private zone(
    name: string,
    host: string,
    vpcId: pulumi.Input<string>,
    gateway: GatewayName,
  ): void {
    const apex = host.replace(/^\*\./, "");
    // "_" stands for "*", so that a host and those below it have two names.
    const own = `${name}-${host.replace("*", "_")}`;
    const zone = new aws.route53.Zone(
      own,
      {
        name: apex,
        comment: "Sandboxes reach this name by the egress gateway.",
        vpcs: [{ vpcId }],
      },
      { parent: this },
    );
    new aws.route53.Record(
      `${own}-a`,
      {
        zoneId: zone.zoneId,
        name: host,
        type: "A",
        aliases: [
          {
            name: gateway.dnsName,
            zoneId: gateway.zoneId,
            evaluateTargetHealth: false,
          },
        ],
      },
      { parent: this },
    );
  }
}
