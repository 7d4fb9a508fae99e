import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";
import { lib } from "../machine/places.ts";

const run = promisify(execFile);

/** Tables that nftables.conf loads; the second one where sandboxes have ports here. */
const ownTable = "table inet daytona_egress";
const bridgeTable = "table bridge daytona_egress";

let turn: Promise<unknown> = Promise.resolve();

/**
 * What changes the firewall and what judges it, one after the other: half a
 * change looks like somebody else's.
 */
export function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const mine = turn.then(work);
  turn = mine.catch(() => undefined);
  return mine;
}

/**
 * Loads the firewall again when another program took it away: `nft flush
 * ruleset`, which Debian's own nftables.service does whenever it restarts,
 * spares nobody's tables; systemd-networkd removes routing rules that it did
 * not make.
 * @param interfaces those that are walled; none where the gateway is alone on
 *   its machine
 * @returns whether it, or a part of it, was away
 * @throws Error when it cannot be loaded
 */
export async function ensureFirewall(
  interfaces: readonly string[],
): Promise<boolean> {
  const { stdout } = await run("nft", ["list", "tables"]);
  const present = stdout.split("\n");
  const tables = interfaces.length === 0 ? [ownTable] : [ownTable, bridgeTable];
  if (
    tables.every((table) => present.includes(table)) &&
    (await isClosed("-4", interfaces)) &&
    (!existsSync("/proc/net/if_inet6") || (await isClosed("-6", interfaces)))
  ) {
    return false;
  }
  await run("systemctl", [
    "reload-or-restart",
    "daytona-gateway-firewall.service",
  ]);
  return true;
}

/** The interfaces that are walled, as firewall.sh finds them. */
export async function walledInterfaces(): Promise<string[]> {
  const script = `${lib}/interfaces-gateway.sh`;
  return (await run(script)).stdout.split("\n").filter((line) => line !== "");
}

/**
 * Whether firewall.sh's routing rule of each interface is among these, and
 * before the machine's own addresses.
 */
export function isRoutingClosed(
  shown: string,
  interfaces: readonly string[],
): boolean {
  const lines = shown.split("\n");
  const closed = lines.filter((line) => /^10:.* blackhole\b/.test(line));
  return (
    !lines.some((line) => /^[0-9]:.* lookup local/.test(line)) &&
    interfaces.every((name) =>
      closed.some((line) => line.includes(` iif ${name} `)),
    )
  );
}

async function isClosed(
  family: "-4" | "-6",
  interfaces: readonly string[],
): Promise<boolean> {
  if (interfaces.length === 0) return true;
  const { stdout } = await run("ip", [family, "rule", "show"]);
  return isRoutingClosed(stdout, interfaces);
}
