/** What follows from observations, and is asked by rows and causes alike. */
import { Address4 } from "ip-address";
import { coerce, lt } from "semver";
import type {
  NetworkSeen,
  Observations,
  Route,
  RulesSeen,
  RunnerSeen,
  ServerSeen,
} from "./observations.ts";

/** How far HTTPS gets from a network. */
export type Egress = "works" | "no TCP" | "no TLS" | "no name" | "no proxy";

/** @returns undefined where nothing could be tried */
export function egressOf(network: NetworkSeen | undefined): Egress | undefined {
  const { byAddress, byName, asConfigured } = network ?? {};
  if (!byAddress || !byName || !asConfigured) return undefined;
  // A program goes as the environment says, whatever a direct way does.
  if (asConfigured.exitCode === 0) return "works";
  if (byName.exitCode === 0) return "no proxy";
  if (byAddress.exitCode === 0) return "no name";
  return byAddress.connected ? "no TLS" : "no TCP";
}

export const sandboxEgress = ({ sandbox }: Observations) =>
  egressOf(sandbox?.value);

/** Versions, by what they are of. */
export function daemonVersion(o: Observations): string | undefined {
  const own = serverOf(o)?.runner?.sandbox?.daemon.value;
  return (
    o.api?.sandbox?.value?.daemonVersion ??
    o.toolbox?.byProxy.value ??
    (own === undefined ? undefined : /"version":"([^"]+)"/.exec(own)?.[1])
  );
}

export function daytonaVersion(o: Observations): string | undefined {
  return configOf(o)?.version;
}

export function configOf(o: Observations) {
  return o.api?.config.value ?? serverOf(o)?.config;
}

export function proxyVersion(o: Observations): string | undefined {
  return (
    o.sites.find(({ what }) => what === "toolbox")?.response?.value?.version ??
    serverOf(o)?.proxyVersion
  );
}

/** Where clients find sandboxes' toolboxes. */
export function toolboxUrl(o: Observations): string | undefined {
  return (
    o.api?.sandbox?.value?.toolboxProxyUrl ??
    o.toolbox?.url ??
    configOf(o)?.proxyToolboxUrl
  );
}

/** @returns undefined for what is no version, such as a build's own name */
export function isBefore(
  version: string | undefined,
  limit: string,
): boolean | undefined {
  const found = coerce(version);
  return found ? lt(found, limit) : undefined;
}

export const serverOf = ({ server }: Observations): ServerSeen | undefined =>
  server?.value;

export const runnerOf = (o: Observations): RunnerSeen | undefined =>
  serverOf(o)?.runner;

/** The network namespace that sandboxes' packets are forwarded in first. */
export function forwardingRules(
  server: ServerSeen,
): readonly { readonly of: "runner" | "server"; readonly rules: RulesSeen }[] {
  const { runner, rules } = server;
  return [
    ...(runner?.rules ? [{ of: "runner" as const, rules: runner.rules }] : []),
    { of: "server" as const, rules },
  ];
}

export interface Overlap {
  readonly first: Route;
  readonly second: Route;
}

/** Connected networks of two interfaces that share addresses. */
export function overlaps(routes: readonly Route[]): Overlap[] {
  const networks = routes.filter(
    ({ to, interface: name }) => !/\/(0|32)$/.test(to) && name !== "lo",
  );
  return networks.flatMap((first, index) =>
    networks
      .slice(index + 1)
      .filter(
        (second) =>
          second.interface !== first.interface && share(first.to, second.to),
      )
      .map((second) => ({ first, second })),
  );
}

/** Whether two networks have an address in common. */
export function share(one: string, other: string): boolean {
  const [a, b] = [new Address4(one), new Address4(other)];
  return a.isInSubnet(b) || b.isInSubnet(a);
}

/** Interface of the default route, and its MTU. */
export function uplink(network: NetworkSeen | undefined) {
  const name = network?.routes.find(({ to }) => to === "0.0.0.0/0")?.interface;
  return network?.links.find((link) => link.name === name);
}

/** Docker's rules for nftables, where it does not go by iptables. */
const dockersChains = /^ip6? docker-/;
/** What Docker's rules of iptables jump to, and what it accepts by itself. */
const dockersRule =
  / -j DOCKER|-[io] (docker|br-)\S+ .*-j (ACCEPT|DOCKER)|ctstate .*-j ACCEPT/;

/** Drops whatever comes from a source, by an interface, or at all. */
const closesAll =
  /^filter: -A \S+( -s \S+| -i \S+| -o \S+)* -j (DROP|REJECT)( |$)/;

/**
 * What is wrong with a namespace's rules for what containers send.
 * @param source an address that is to be masqueraded there
 * @returns undefined where nothing is, or nothing is known
 */
export function rulesFault(
  { forwarding, rules, forwardChains, error }: RulesSeen,
  source: string | undefined,
): { what: "switch" | "rules" | "closed"; found: string } | undefined {
  if (!forwarding) {
    return { what: "switch", found: "net.ipv4.ip_forward is 0" };
  }
  if (error !== undefined) return undefined;
  const closed = forwardChains.find(
    (chain) =>
      chain.endsWith(" drop") && !chain.startsWith("ip filter FORWARD"),
  );
  const byNftables = forwardChains.some((chain) => dockersChains.test(chain));
  if (!byNftables) {
    const masquerades = rules.filter((rule) =>
      /^nat: .*-j (MASQUERADE|SNAT)/.test(rule),
    );
    if (!masquerades.some((rule) => covers(rule, source))) {
      const from = source === undefined ? "" : ` for ${source}`;
      return { what: "rules", found: `no masquerade rule${from}` };
    }
    const chain = rules.filter((rule) => rule.startsWith("filter: -A FORWARD"));
    const own = chain.findIndex((rule) => dockersRule.test(rule));
    const before = [
      ...(own === -1 ? chain : chain.slice(0, own)),
      ...rules.filter((rule) => rule.startsWith("filter: -A DOCKER-USER")),
    ];
    const drop = before.find(
      (rule) => closesAll.test(rule) && covers(rule, source),
    );
    if (drop !== undefined) {
      return {
        what: "closed",
        found: `"${drop.replace("filter: ", "")}" stands before Docker's rules`,
      };
    }
    const drops = rules.some((rule) =>
      rule.startsWith("filter: :FORWARD DROP"),
    );
    if (own === -1 && drops) {
      return {
        what: "rules",
        found:
          "the chain FORWARD drops by default, and Docker's rules are not in it",
      };
    }
  }
  return closed === undefined
    ? undefined
    : {
        what: "closed",
        found: `the nftables chain "${closed.replace(/ drop$/, "")}" drops by default what is forwarded`,
      };
}

function covers(rule: string, source: string | undefined): boolean {
  const network = / -s (\S+)/.exec(rule)?.[1];
  if (network === undefined || source === undefined) return true;
  return !rule.includes("! -s") && share(network, source);
}

/** Daytona's own rules for a sandbox: what jumps to a chain of its name. */
export function daytonasJump(o: Observations) {
  const runner = runnerOf(o);
  const { address, container = "" } = runner?.sandbox ?? {};
  const rules = runner?.rules ?? serverOf(o)?.rules;
  if (!rules || !address) return undefined;
  const jump = rules.rules.find(
    (rule) =>
      rule.startsWith("filter: -A DOCKER-USER") &&
      rule.includes(`-s ${address}/32`) &&
      rule.includes("-j DAYTONA-SB-"),
  );
  const chain = jump && /-j (DAYTONA-SB-\S+)/.exec(jump)?.[1];
  return (
    chain && {
      chain,
      isOwn: container.startsWith(chain.replace("DAYTONA-SB-", "")),
    }
  );
}

/** Networks that Cloudflare answers from: cloudflare.com/ips-v4. */
const cloudflares = [
  "103.21.244.0/22",
  "103.22.200.0/22",
  "103.31.4.0/22",
  "104.16.0.0/13",
  "104.24.0.0/14",
  "108.162.192.0/18",
  "131.0.72.0/22",
  "141.101.64.0/18",
  "162.158.0.0/15",
  "172.64.0.0/13",
  "173.245.48.0/20",
  "188.114.96.0/20",
  "190.93.240.0/20",
  "197.234.240.0/22",
  "198.41.128.0/17",
];

export function isCloudflares(address: string): boolean {
  return (
    Address4.isValid(address) &&
    cloudflares.some((network) => share(network, address))
  );
}
