import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Tables that nftables.conf loads, and nftables-bridge.conf where sandboxes have interfaces here. */
const ownTable = "table inet daytona_egress";
const bridgeTable = "table bridge daytona_egress";

/**
 * Loads the firewall again when another program took it away: `nft flush
 * ruleset`, which Debian's own nftables.service does whenever it restarts,
 * spares nobody's tables; systemd-networkd removes routing rules that it did
 * not make. And when sandboxes have come to be behind another interface.
 * @param interfaces those that sandboxes are behind; none where the gateway is
 *   alone on its machine
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
    isRoutingClosed(await routingRules("-4"), interfaces) &&
    (!existsSync("/proc/net/if_inet6") ||
      isRoutingClosed(await routingRules("-6"), interfaces))
  ) {
    return false;
  }
  await run("systemctl", [
    "reload-or-restart",
    "daytona-gateway-firewall.service",
  ]);
  return true;
}

/**
 * The interfaces that sandboxes are behind, as firewall.sh finds them.
 * @param given SANDBOX_INTERFACES: a set as nft takes it, or `auto`
 * @param networks SANDBOX_NETWORKS: a set as nft takes it
 */
export async function sandboxInterfaces(
  given: string,
  networks: string,
): Promise<string[]> {
  if (given !== "auto") return members(given);
  const found = new Set<string>();
  for (const network of members(networks)) {
    const args = ["-o", "-4", "address", "show", "to", network];
    const { stdout } = await run("ip", args);
    for (const [, name = ""] of stdout.matchAll(/^[0-9]+: (\S+)/gm)) {
      found.add(name);
    }
  }
  return [...found];
}

function members(set: string): string[] {
  return set.match(/[^\s{},]+/g) ?? [];
}

/** Whether firewall.sh's routing rule of each interface is among these. */
export function isRoutingClosed(
  shown: string,
  interfaces: readonly string[],
): boolean {
  const closed = shown.split("\n").filter((line) => /\bprohibit\b/.test(line));
  return interfaces.every((name) =>
    closed.some((line) => line.includes(` iif ${name} `)),
  );
}

async function routingRules(family: "-4" | "-6"): Promise<string> {
  const args = [family, "rule", "show", "priority", "20"];
  return (await run("ip", args)).stdout;
}
