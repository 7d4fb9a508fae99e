/**
 * What runs on a gateway. The files beside this one are the files on the
 * machine; here is only which of them goes where, and the values that differ.
 */
import { join } from "node:path";
import type { StackConfig } from "../config/parse.ts";
import { bundledProgram } from "../machine/bundled-program.ts";
import { secretsManagerPlace } from "../machine/store/place.ts";
import type { Bundle } from "../machine/bundle.ts";
import { copiedFrom } from "../machine/copied-file.ts";
import { egressRules } from "../machine/live-state.ts";
import { type LogsPlace, logsPart } from "../machine/logs/bundle.ts";
import * as places from "../machine/places.ts";
import { gatewayAddress, gatewayName } from "./address.ts";
import { egressLimitsEnvironment } from "./limits.ts";
import { rulesDocument } from "./rules-document.ts";

const copy = copiedFrom(import.meta.dirname);

/** Debian packages of a gateway. */
export const gatewayPackages = [
  "ca-certificates",
  "curl",
  "dns-root-data",
  "haproxy",
  "iproute2",
  "nftables",
  "nodejs",
  "openssl",
  "socat",
  "ulogd2",
  "ulogd2-json",
  "unbound",
];

export interface GatewayConfig extends Pick<
  NonNullable<StackConfig["egress"]>,
  "egressRules" | "learn" | "limits"
> {
  readonly sandboxes: {
    /**
     * Those of this machine that sandboxes are behind, beside those that are
     * found. None where the gateway is alone.
     */
    readonly interfaces: readonly string[];
    /** Beside those that are found. */
    readonly networks: readonly string[];
  };
  /** Whether Docker's own network is walled, and with it what is built there. */
  readonly builds?: "open" | "enforce";
  /** What a runner in a container looks up for itself. */
  readonly runnerHosts?: readonly string[];
  /** Those of the world when there are none. */
  readonly rootServers: readonly string[];
  /** Resolvers that are asked in place of all others; none when empty. */
  readonly forwarders?: readonly string[];
  /** Set where the gateway is alone on its machine, behind a load balancer. */
  readonly alone?: {
    /** Networks that the balancer asks for the gateway's health from. */
    readonly balancers: readonly string[];
    /** How long streams may live on when the gateway stops, in seconds. */
    readonly drainSeconds: number;
    /** Where live state lies: rules, secrets and the authority. */
    readonly secretsManager: {
      readonly region: string;
      readonly prefix: string;
    };
    /** Where the journal's rows are sent. */
    readonly logs: LogsPlace;
  };
}

/** Where Daytona's runner puts sandboxes, whatever it runs in (v0.190.0). */
const runnerBridge = "172.20.0.0/16";

const etc = places.etc("gateway");
const { lib, systemd, store, healthPort } = places;
const differences = `${lib}/differences-gateway.sh`;

const firewallUnit = "daytona-gateway-firewall.service";

/** In the order in which they start: first the wall, then the door. */
const units = [
  firewallUnit,
  "daytona-gateway-log.service",
  "daytona-gateway-network.service",
  "daytona-gateway-recursor.service",
  "daytona-gateway-resolver.service",
  "daytona-gateway.service",
  "daytona-gateway-agent.service",
];

/** The gateway's bundle: a pure function of the configuration and these files. */
export function gatewayBundle(config: GatewayConfig): Bundle {
  const { rootServers, forwarders = [], alone } = config;
  const roots = rootServers.length > 0 ? "own" : "world";
  const logs = alone && logsPart(alone.logs, units);
  // Where sandboxes are on the same server, their network is found first.
  const started = alone
    ? units
    : [firewallUnit, "daytona-gateway-runner.service", ...units.slice(1)];
  return {
    name: "gateway",
    packages: gatewayPackages,
    files: [
      ...[
        "haproxy.cfg",
        "redact.lua",
        "resolver.conf",
        "recursor.conf",
        ...(alone
          ? []
          : [
              "nftables.conf",
              "nftables-ports.conf",
              "nftables-runner.conf",
              "nftables-runner-names.conf",
            ]),
        "ulogd.conf",
        "install-ca.sh",
        "maps/never-learnt.acl",
        "maps/refused-networks.acl",
      ].map((name) => copy(name, `${etc}/${name}`)),
      ...(alone
        ? [
            copy("nftables-alone.conf", `${etc}/nftables.conf`),
            copy(
              "../machine/drain-haproxy.sh",
              `${lib}/drain-gateway.sh`,
              0o755,
            ),
            copy(
              "drain.conf",
              `${systemd}/daytona-gateway.service.d/drain.conf`,
            ),
          ]
        : []),
      copy(`recursor-roots-${roots}.conf`, `${etc}/recursor-roots.conf`),
      copy(
        `recursor-forward${forwarders.length > 0 ? "" : "-none"}.conf`,
        `${etc}/recursor-forward.conf`,
      ),
      {
        path: `${etc}/forwarders.conf`,
        content: forwarders.map((it) => `forward-addr: ${it}\n`).join(""),
        mode: 0o644,
      },
      {
        path: `${etc}/root.hints`,
        content: rootHints(rootServers),
        mode: 0o644,
      },
      { path: `${etc}/env`, content: environment(config), mode: 0o644 },
      ...["prepare", "check", "network", "interfaces", "firewall", "undo"].map(
        (name) => copy(`${name}.sh`, `${lib}/${name}-gateway.sh`, 0o755),
      ),
      copy(
        "../machine/placeholder-certificate.sh",
        `${lib}/placeholder-gateway.sh`,
        0o755,
      ),
      copy("../machine/reload-haproxy.sh", `${lib}/reload-gateway.sh`, 0o755),
      copy("../machine/differences.sh", differences, 0o755),
      {
        path: `${lib}/gateway-agent.cjs`,
        content: bundledProgram(join(import.meta.dirname, "main.ts")),
        mode: 0o644,
      },
      ...started.map((unit) => copy(`units/${unit}`, `${systemd}/${unit}`)),
      ...(alone
        ? []
        : [
            ...units
              .filter((unit) => unit !== firewallUnit)
              .map((unit) =>
                copy(
                  "sandbox-network.conf",
                  `${systemd}/${unit}.d/sandbox-network.conf`,
                ),
              ),
            {
              path: `${lib}/gateway-runner.cjs`,
              content: bundledProgram(
                join(import.meta.dirname, "runner-main.ts"),
              ),
              mode: 0o644,
            },
            {
              path: `${store}/${egressRules.name}`,
              content: rulesDocument(config.egressRules, config.learn),
              mode: 0o644,
            },
          ]),
      ...(logs?.files ?? []),
    ],
    units: [...started, ...(logs?.units ?? [])],
    holders: ["daytona-gateway.service"],
    check: `${lib}/check-gateway.sh`,
    undo: `${lib}/undo-gateway.sh`,
    ...(alone
      ? {}
      : { sandboxes: [...config.sandboxes.networks, runnerBridge] }),
    rules: {
      unit: firewallUnit,
      differences,
    },
    ports: [
      ...["udp 53", "tcp 53", "tcp 80", "tcp 443"].map(
        (port) => `${port} ${gatewayAddress}`,
      ),
      ...(alone ? [`tcp ${String(healthPort)} *`] : []),
    ],
  };
}

/** The environment that the units, haproxy.cfg and nftables.conf read. */
function environment({
  sandboxes,
  limits,
  builds = "open",
  runnerHosts = [],
  alone,
}: GatewayConfig): string {
  const { interfaces, networks } = sandboxes;
  const { region = "", prefix = "" } = alone?.secretsManager ?? {};
  return [
    `GATEWAY_ADDRESS=${gatewayAddress}`,
    `GATEWAY_NAME=${gatewayName}`,
    ...Object.entries(
      egressLimitsEnvironment(limits, alone ? "runner" : "sandbox"),
    ).map(([name, value]) => `${name}=${value}`),
    `SANDBOX_INTERFACES="${interfaces.join(" ")}"`,
    `SANDBOX_NETWORKS="${networks.join(" ")}"`,
    ...(alone
      ? [
          `HEALTH_NETWORKS="${alone.balancers.join(" ")}"`,
          `GATEWAY_HEALTH_PORT=${String(healthPort)}`,
          `GATEWAY_DRAIN=${String(alone.drainSeconds)}s`,
          "GATEWAY_GRACE_SECONDS=25",
          `GATEWAY_STORE=${secretsManagerPlace(region, prefix)}`,
          // Requests to Secrets Manager cost.
          "GATEWAY_POLL_SECONDS=4",
          "GATEWAY_AUTHORITY=store",
        ]
      : [
          `GATEWAY_STORE=${store}`,
          "GATEWAY_POLL_SECONDS=1",
          "GATEWAY_AUTHORITY=own",
          `GATEWAY_BUILDS=${builds}`,
          `GATEWAY_RUNNER_HOSTS="${runnerHosts.join(" ")}"`,
        ]),
    "",
  ].join("\n");
}

/** Root servers of one's own, as a hints file (RFC 1035 master file). */
function rootHints(servers: readonly string[]): string {
  return servers
    .map((address, index) => {
      const name = `root-${String(index + 1)}.`;
      return `. 3600000 NS ${name}\n${name} 3600000 A ${address}\n`;
    })
    .join("");
}
