/** What reach.sh said, of a server, a runner or a sandbox. */
import type { NetworkSeen, Probe, Route } from "./observations.ts";
import { printable } from "./printable.ts";

/** Lines of key, tab and value. */
export interface Lines {
  readonly first: (key: string) => string | undefined;
  readonly all: (key: string) => string[];
}

export function linesOf(said: string): Lines {
  const pairs = said.split("\n").flatMap((line): [string, string][] => {
    const tab = line.indexOf("\t");
    const value = printable(line.slice(tab + 1));
    return tab === -1 ? [] : [[line.slice(0, tab), value]];
  });
  const all = (key: string) =>
    pairs.filter(([name]) => name === key).map(([, value]) => value.trim());
  return { all, first: (key) => all(key)[0] };
}

export function networkSeen({ first, all }: Lines, scope: string): NetworkSeen {
  const probe = (key: string) => probeOf(first(`${scope}.${key}`));
  const tcp = probe("tcp")?.connected ?? false;
  const byAddress = probe("by-address");
  const lookup = first(`${scope}.lookup`)?.split(" ");
  return {
    routes: all(`${scope}.route`).map(routeOf),
    resolv: all(`${scope}.resolv`),
    links: all(`${scope}.link`).map((line) => {
      const [name = "", mtu] = line.split(" ");
      return { name, mtu: Number(mtu) };
    }),
    proxies: all(`${scope}.proxy`),
    lookup: lookup && {
      ...{ exitCode: Number(lookup[0]), connected: false, secured: false },
      found: lookup[1] ?? "",
    },
    byAddress: byAddress && {
      ...byAddress,
      connected: byAddress.connected || tcp,
    },
    byName: probe("by-name"),
    asConfigured: probe("as-configured"),
    pings: all(`${scope}.ping`).map((line) => {
      const [size, exitCode] = line.split(" ");
      return { size: Number(size), came: exitCode === "0" };
    }),
  };
}

/** @param line curl's exit code, time_connect, time_appconnect and http_code */
function probeOf(line: string | undefined): Probe | undefined {
  if (line === undefined) return undefined;
  const [exitCode, connect, appconnect, status] = line.split(" ");
  return {
    exitCode: Number(exitCode),
    connected: Number(connect) > 0,
    secured: Number(appconnect) > 0,
    found: status === undefined || status === "000" ? "" : `HTTP ${status}`,
  };
}

/** @param line of /proc/net/route: interface, destination, gateway, mask */
function routeOf(line: string): Route {
  const [name = "", to = "", gateway = "", mask = ""] = line.split(" ");
  const bits = Number.parseInt(mask, 16).toString(2).replaceAll("0", "").length;
  return {
    interface: name,
    to: `${addressOf(to)}/${String(bits)}`,
    gateway: addressOf(gateway),
  };
}

/** Four bytes in hexadecimal, the last first. */
function addressOf(hex: string): string {
  return (hex.match(/../g) ?? [])
    .map((byte) => Number.parseInt(byte, 16))
    .reverse()
    .join(".");
}
