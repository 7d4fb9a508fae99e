/**
 * What runs on an edge. The files beside this one are the files on the machine;
 * here is only which of them goes where, and the values that differ.
 */
import { join } from "node:path";
import { hostAndPort, isIpAndPort } from "../config/address.ts";
import type { StackConfig } from "../config/parse.ts";
import { bundledProgram } from "../machine/bundled-program.ts";
import { secretsManagerPlace } from "../machine/store/place.ts";
import type { Bundle, BundleFile } from "../machine/bundle.ts";
import { copiedFrom } from "../machine/copied-file.ts";
import { type LogsPlace, logsPart } from "../machine/logs/bundle.ts";
import * as places from "../machine/places.ts";
import { errorCodeMap, errorPageMap, errorTextMap } from "./error-bodies.ts";
import { limitsEnvironment } from "./limits.ts";

const copy = copiedFrom(import.meta.dirname);

/** Debian packages of an edge. */
export const edgePackages = [
  "ca-certificates",
  "curl",
  "haproxy",
  "iproute2",
  "nodejs",
  "openssl",
  "socat",
];

export type EdgeConfig = Pick<
  StackConfig,
  "domain" | "access" | "upstream" | "toolbox" | "deniedPorts" | "limits"
> & {
  /** IP addresses that ports 80 and 443 are served at; all when absent. */
  readonly listen?: readonly string[] | undefined;
  /** Who serves what comes to those ports for another name; nobody when absent. */
  readonly otherSites?:
    | {
        /** IP and port that take TLS. */
        readonly https: string;
        /** IP and port that take plain HTTP. */
        readonly http: string;
        /** Whether both are told the client by a PROXY header, version 2. */
        readonly proxyProtocol: boolean;
      }
    | undefined;
  /** Networks whose hosts tell the true client by PROXY protocol, version 2. */
  readonly loadBalancers?: readonly string[];
  /** Where live state lies; in a directory of the machine when absent. */
  readonly secretsManager?: {
    readonly region: string;
    readonly prefix: string;
  };
  /** Where the journal's rows are sent; nowhere when absent. */
  readonly logs?: LogsPlace;
};

const units = ["daytona-edge.service", "daytona-edge-agent.service"];
const etc = places.etc("edge");
const { lib, systemd, healthPort } = places;

/** The edge's bundle: a pure function of the configuration and these files. */
export function edgeBundle(config: EdgeConfig): Bundle {
  const { upstream, loadBalancers = [] } = config;
  const networks = upstream.mode === "direct" ? upstream.networks : [];
  const logs = config.logs && logsPart(config.logs, units);
  return {
    name: "edge",
    packages: edgePackages,
    files: [
      copy("haproxy.cfg", `${etc}/haproxy.cfg`),
      copy("interim.lua", `${etc}/interim.lua`),
      copy("names.lua", `${etc}/names.lua`),
      copy("errors/body.lf", `${etc}/errors/body.lf`),
      text(`${etc}/maps/error-code.map`, errorCodeMap()),
      text(`${etc}/maps/error-page.map`, errorPageMap()),
      text(`${etc}/maps/error-text.map`, errorTextMap(config.access)),
      list(`${etc}/maps/denied-ports.acl`, config.deniedPorts.map(String)),
      list(`${etc}/maps/load-balancers.acl`, loadBalancers),
      copy("maps/never-dialled.acl", `${etc}/maps/never-dialled.acl`),
      list(`${etc}/maps/networks.acl`, networks),
      list(
        `${etc}/env`,
        Object.entries(environment(config)).map(
          ([name, value]) => `${name}=${value}`,
        ),
      ),
      copy("environment.sh", `${lib}/environment-edge.sh`, 0o755),
      copy("prepare.sh", `${lib}/prepare-edge.sh`, 0o755),
      copy("check.sh", `${lib}/check-edge.sh`, 0o755),
      copy(
        "../machine/placeholder-certificate.sh",
        `${lib}/placeholder-edge.sh`,
        0o755,
      ),
      copy("../machine/reload-haproxy.sh", `${lib}/reload-edge.sh`, 0o755),
      copy("undo.sh", `${lib}/undo-edge.sh`, 0o755),
      {
        path: `${lib}/edge-agent.cjs`,
        content: bundledProgram(join(import.meta.dirname, "main.ts")),
        mode: 0o644,
      },
      ...units.map((unit) => copy(`units/${unit}`, `${systemd}/${unit}`)),
      ...(loadBalancers.length > 0
        ? [
            copy("../machine/drain-haproxy.sh", `${lib}/drain-edge.sh`, 0o755),
            copy("drain.conf", `${systemd}/daytona-edge.service.d/drain.conf`),
          ]
        : []),
      ...(logs?.files ?? []),
    ],
    units: [...units, ...(logs?.units ?? [])],
    holders: ["daytona-edge.service"],
    check: `${lib}/check-edge.sh`,
    undo: `${lib}/undo-edge.sh`,
    ports: [
      ...(config.listen ?? ["*"]).flatMap((address) => [
        `tcp 80 ${address}`,
        `tcp 443 ${address}`,
      ]),
      `tcp ${String(healthPort)} *`,
    ],
    health: `http://127.0.0.1:${String(healthPort)}/healthz`,
  };
}

/** The environment that haproxy.cfg and the agent read. */
function environment(config: EdgeConfig): Record<string, string> {
  const { upstream } = config;
  return {
    EDGE_DOMAIN: config.domain,
    EDGE_ACCESS: config.access,
    EDGE_UPSTREAM: upstream.mode,
    EDGE_DAYTONA: daytona(upstream),
    EDGE_DAYTONA_NAMED: isIpAndPort(daytona(upstream)) ? "off" : "on",
    EDGE_RESOLVER:
      upstream.mode === "direct" ? upstream.resolver : "127.0.0.1:53",
    EDGE_BALANCED: (config.loadBalancers ?? []).length > 0 ? "on" : "off",
    EDGE_LISTEN_TLS: sockets(config, 443),
    EDGE_LISTEN_PLAIN: sockets(config, 80),
    ...otherSites(config),
    EDGE_TOOLBOX: config.toolbox ? "on" : "off",
    EDGE_GRACE_SECONDS: "25",
    ...store(config),
    ...limitsEnvironment(config.limits),
  };
}

function daytona(upstream: EdgeConfig["upstream"]): string {
  if (upstream.mode === "direct") return "127.0.0.1:1";
  const { host, port } = hostAndPort(upstream.url);
  return `${host}:${String(port)}`;
}

/** As HAProxy's "bind" takes them; those of all addresses begin with the colon. */
function sockets({ listen = ["", "::"] }: EdgeConfig, port: number): string {
  return listen.map((address) => `${address}:${String(port)}`).join(",");
}

function otherSites({ otherSites }: EdgeConfig): Record<string, string> {
  return {
    EDGE_OTHER_SITES: otherSites
      ? otherSites.proxyProtocol
        ? "proxy"
        : "untold"
      : "none",
    EDGE_OTHER_TLS: otherSites?.https ?? "127.0.0.1:1",
    EDGE_OTHER_PLAIN: otherSites?.http ?? "127.0.0.1:1",
    // A browser may take a connection for any name that it thinks is served here
    // (RFC 9113, 9.1.1); told 421, it opens another.
    EDGE_FOREIGN_STATUS: otherSites ? "421" : "404",
  };
}

/** Requests to Secrets Manager cost; a directory may be looked at often. */
function store({ secretsManager }: EdgeConfig): Record<string, string> {
  if (!secretsManager) {
    return {
      EDGE_STORE: places.store,
      EDGE_POLL_SECONDS: "1",
    };
  }
  const { region, prefix } = secretsManager;
  return {
    EDGE_STORE: secretsManagerPlace(region, prefix),
    EDGE_POLL_SECONDS: "4",
  };
}

function text(path: string, content: string): BundleFile {
  return { path, content, mode: 0o644 };
}

/** A file of one value a line, such as HAProxy's lists. */
function list(path: string, values: readonly string[]): BundleFile {
  return text(path, values.map((value) => `${value}\n`).join(""));
}
