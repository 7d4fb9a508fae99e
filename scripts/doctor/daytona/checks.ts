/**
 * What was asked, in the order of docs/daytona-doctor.md: versions first, for they
 * exclude half of the causes; then from outside inward.
 */
import { type Cause, type Verdict, isThere } from "./causes/cause.ts";
import type { Judged } from "./causes/table.ts";
import { limitIgnored, noShell, statusLost } from "./causes/commands.ts";
import {
  forwardingGone,
  iptablesVariant,
  noNames,
  noServerEgress,
  ownRules,
  packetSize,
  proxyVariables,
  sharedNetworks,
  subnetCollision,
} from "./causes/egress.ts";
import {
  cloudflareBefore,
  closedProxy,
  keyRefused,
  noApi,
  noWayToSandbox,
  notRunning,
  runnerDomain,
  toolboxAddress,
} from "./causes/reach-in.ts";
import {
  daemonVersion,
  daytonaVersion,
  egressOf,
  proxyVersion,
  runnerOf,
  sandboxEgress,
  serverOf,
  toolboxUrl,
  uplink,
} from "./facts.ts";
import type {
  Answer,
  NetworkSeen,
  Observations,
  Site,
} from "./observations.ts";
import type { CheckName } from "./check-names.ts";

/** What was found, or why nothing was. */
type Got = string | { readonly failed: string };

interface Check {
  readonly name: CheckName;
  readonly asked: (o: Observations) => string;
  /** Undefined for what was not asked. */
  readonly got: (o: Observations) => Got | undefined;
  /** What it can name. */
  readonly names: readonly Cause[];
}

const checks: readonly Check[] = [
  {
    name: "versions",
    asked: () => "Daytona, its proxy, the sandbox's daemon",
    got: (o) => {
      const versions = [daytonaVersion(o), proxyVersion(o), daemonVersion(o)];
      return versions.some((version) => version !== undefined)
        ? versions.map((version) => version ?? "?").join(", ")
        : undefined;
    },
    names: [],
  },
  {
    name: "public names",
    asked: () => "addresses of the names that clients are given",
    got: ({ sites }) => listed(sites.map(addressesOf)),
    names: [cloudflareBefore],
  },
  {
    name: "API",
    asked: ({ asked }) => `GET ${asked.api ?? "…/api"}/config`,
    got: ({ api }) =>
      api && said(api.config, ({ version }) => `Daytona ${String(version)}`),
    names: [noApi],
  },
  {
    name: "key",
    asked: ({ asked }) =>
      `GET /sandbox${asked.sandbox === undefined ? "" : `/${asked.sandbox}`} with the key`,
    got: ({ api }) => api?.key && (api.sandbox?.error ?? "the key is accepted"),
    names: [keyRefused],
  },
  {
    name: "sandbox",
    asked: () => "its record, or its container",
    got: (o) => {
      const record = o.api?.sandbox?.value;
      const container = runnerOf(o)?.sandbox;
      return listed([
        record && `${record.id}: ${record.state}`,
        container && `container ${container.state}, ${container.address}`,
      ]);
    },
    names: [notRunning],
  },
  {
    name: "toolbox address",
    asked: (o) => {
      const url = toolboxUrl(o);
      return url === undefined
        ? "where clients are sent"
        : `GET /health of ${url}`;
    },
    got: (o) => {
      const site = o.sites.find(({ what }) => what === "toolbox");
      return (
        (site?.response && responseOf(site)) ??
        (site && addressesOf(site)) ??
        toolboxUrl(o)
      );
    },
    names: [toolboxAddress, closedProxy],
  },
  {
    name: "Daytona's proxy",
    asked: () => "the daemon's version, by the proxy, with the key",
    got: ({ toolbox }) => toolbox && said(toolbox.byProxy, (it) => it),
    names: [],
  },
  {
    name: "proxy to runner",
    asked: (o) =>
      `from the proxy's container: http://${runnerOf(o)?.domain ?? "RUNNER_DOMAIN"}`,
    got: (o) => {
      const server = serverOf(o);
      return listed([
        runnerOf(o)?.domain && `RUNNER_DOMAIN=${String(runnerOf(o)?.domain)}`,
        server?.proxyToRunner && said(server.proxyToRunner, (it) => it),
        ...(server?.dialErrors.slice(0, 1) ?? []),
      ]);
    },
    names: [runnerDomain],
  },
  {
    name: "runner to sandbox",
    asked: (o) =>
      `from the runner: http://${runnerOf(o)?.sandbox?.address ?? "SANDBOX"}:2280/version`,
    got: (o) => {
      const sandbox = runnerOf(o)?.sandbox;
      return sandbox?.state === "running"
        ? said(sandbox.daemon, (it) => it.slice(0, 60))
        : undefined;
    },
    names: [noWayToSandbox],
  },
  {
    name: "shell",
    asked: () => "in the sandbox: echo first > /dev/null && echo second",
    got: ({ toolbox }) =>
      toolbox &&
      said(toolbox.shell, ({ exitCode, result }) =>
        JSON.stringify({ exitCode, result: result.trim() }),
      ),
    names: [noShell],
  },
  {
    name: "time limits",
    asked: () => 'sh -c "sleep 5; true" with "timeout": 2',
    got: ({ toolbox }) =>
      toolbox?.limited &&
      said(
        toolbox.limited,
        ({ seconds }) => `back after ${seconds.toFixed(1)} s`,
      ),
    names: [limitIgnored],
  },
  {
    name: "exit codes",
    asked: () => "true, many times",
    got: ({ toolbox }) =>
      toolbox?.repeated &&
      said(
        toolbox.repeated,
        ({ runs, lost }) => `-1 in ${String(lost)} of ${String(runs)} runs`,
      ),
    names: [statusLost],
  },
  {
    name: "sandbox: network",
    asked: () => "its routes, name servers and MTU",
    got: ({ sandbox }) => sandbox && said(sandbox, network),
    names: [],
  },
  {
    name: "sandbox: egress",
    asked: ({ asked }) =>
      `name, TCP, TLS: https://${asked.target.name}/ (${asked.target.address})`,
    got: (o) => sandboxEgress(o) ?? o.sandbox?.error,
    names: [packetSize, noNames],
  },
  {
    name: "sandbox: proxy variables",
    asked: () => "http_proxy and its like",
    got: ({ sandbox }) =>
      sandbox?.value && (listed(sandbox.value.proxies) ?? "none"),
    names: [proxyVariables],
  },
  {
    name: "login",
    asked: ({ asked }) => `ssh ${asked.ssh ?? "root@SERVER"}`,
    got: ({ server }) =>
      server &&
      said(
        server,
        ({ os, isRoot, docker }) =>
          `${os}${isRoot ? "" : ", not as root: rules and Docker may be hidden"}, ${textOf(said(docker, (it) => `Docker ${it}`))}`,
      ),
    names: [],
  },
  {
    name: "subnets",
    asked: () => "routes of the runner, Docker's networks",
    got: (o) => {
      const server = serverOf(o);
      if (!server) return undefined;
      const { routes } = server.runner?.network ?? server.host;
      const shared = sharedNetworks(server);
      return listed([
        ...routes.map(({ to, interface: name }) => `${to} ${name}`),
        shared.length > 0
          ? `the same addresses: ${shared.join(", ")}`
          : undefined,
      ]);
    },
    names: [subnetCollision],
  },
  {
    name: "rules",
    asked: () => "forwarding and masquerading, runner and server",
    got: (o) => {
      const server = serverOf(o);
      return (
        server &&
        listed([
          server.runner?.rules && `runner: ${server.runner.rules.iptables}`,
          `server: ${server.rules.error ?? (server.rules.iptables || "no iptables")}`,
          ...server.units,
        ])
      );
    },
    names: [iptablesVariant, forwardingGone, ownRules],
  },
  {
    name: "server: egress",
    asked: ({ asked }) => `https://${asked.target.name}/ from the server`,
    got: (o) => egressOf(serverOf(o)?.host),
    names: [noServerEgress],
  },
  {
    name: "server: MTU",
    asked: () => "uplinks of sandbox, runner, server",
    got: (o) => {
      const server = serverOf(o);
      if (!server) return undefined;
      const networks = [o.sandbox?.value, server.runner?.network, server.host];
      return networks.map((it) => uplink(it)?.mtu ?? "?").join(", ");
    },
    names: [],
  },
  {
    name: "server: ports",
    asked: () => "who holds 80, 443, 2222, 3000, 3003, 4000",
    got: (o) => {
      const server = serverOf(o);
      return server && (listed(server.listeners) ?? "nobody");
    },
    names: [],
  },
  {
    name: "server: proxies",
    asked: () => "proxies of Docker and of Daytona's containers",
    got: (o) => {
      const server = serverOf(o);
      return server && (listed(server.proxies) ?? "none");
    },
    names: [],
  },
];

export interface CheckRow {
  readonly check: CheckName;
  /** `none`: was not asked. */
  readonly state: "good" | "warning" | "bad" | "none";
  readonly asked: string;
  readonly got: string;
  readonly meaning: string;
  readonly fix: readonly string[];
}

export function checkRows(
  seen: Observations,
  judged: readonly Judged[],
): CheckRow[] {
  return checks.map(({ name, asked, got, names }): CheckRow => {
    const found = got(seen);
    const about = judged.filter(({ cause }) => names.includes(cause));
    const there = about.filter(({ verdict }) => isThere(verdict));
    const excluded = judged.filter(
      ({ verdict }) => verdict.state === "excluded" && verdict.by === name,
    );
    const named = there.some(({ verdict }) => verdict.state === "named");
    const isLost = name === "login" && seen.server?.error !== undefined;
    return {
      check: name,
      state: named || isLost ? "bad" : stateOf(found, there.length > 0),
      asked: asked(seen),
      got: found === undefined ? "not asked" : textOf(found),
      meaning: [
        ...there.map(({ cause }) => `${cause.id}: ${cause.title}`),
        ...(excluded.length > 0
          ? [`not ${excluded.map(({ cause }) => cause.id).join(", ")}`]
          : []),
        ...(isLost ? ["the server could not be looked at"] : []),
      ].join("; "),
      fix: isLost
        ? loginFix(seen)
        : there.flatMap(({ verdict }) => fixOf(verdict)),
    };
  });
}

function stateOf(
  found: Got | undefined,
  isPossible: boolean,
): CheckRow["state"] {
  if (found === undefined) return "none";
  return isPossible || typeof found !== "string" ? "warning" : "good";
}

const fixOf = (verdict: Verdict) => ("fix" in verdict ? verdict.fix : []);

/** Nobody is asked for a password or about a host key: both are the user's. */
function loginFix({ asked }: Observations): string[] {
  return [
    `ssh ${asked.ssh ?? ""} true   # once by hand: does the host key fit, and does the login need no password?`,
  ];
}

function said<T>(answer: Answer<T>, text: (value: T) => string): Got {
  return answer.error === undefined
    ? text(answer.value)
    : { failed: answer.error };
}

function textOf(got: Got): string {
  return typeof got === "string" ? got : got.failed;
}

/** Of several answers, all that was found; failed where one of them did. */
function listed(parts: readonly (Got | undefined)[]): Got | undefined {
  const found = parts.filter(
    (part): part is Got => part !== undefined && part !== "",
  );
  if (found.length === 0) return undefined;
  const text = found.map((part) => textOf(part)).join("; ");
  return found.some((part) => typeof part !== "string")
    ? { failed: text }
    : text;
}

function addressesOf({ url, addresses }: Site): Got {
  const { host } = new URL(url);
  return addresses.error === undefined
    ? `${host}: ${addresses.value.join(", ")}`
    : { failed: `${host}: ${addresses.error}` };
}

function responseOf({ response }: Site): Got | undefined {
  return (
    response &&
    said(response, ({ status, version }) =>
      version === undefined
        ? `HTTP ${String(status)}, not Daytona's proxy`
        : `HTTP ${String(status)}, Daytona ${version}`,
    )
  );
}

function network(seen: NetworkSeen): string {
  const route = seen.routes.find(({ to }) => to === "0.0.0.0/0");
  const servers = seen.resolv.filter((line) => line.startsWith("nameserver"));
  return [
    route ? `default by ${route.gateway}` : "no default route",
    servers.join(", ") || "no name server",
    `MTU ${String(uplink(seen)?.mtu ?? "?")}`,
  ].join("; ");
}
