import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Tables that nftables.conf and nftables-bridge.conf load. */
const tables = ["table inet daytona_egress", "table bridge daytona_egress"];

/**
 * Loads the firewall again when another program took it away: `nft flush
 * ruleset`, which Debian's own nftables.service does whenever it restarts,
 * spares nobody's tables; systemd-networkd removes routing rules that it did
 * not make.
 * @returns whether it, or a part of it, was away
 * @throws Error when it cannot be loaded
 */
export async function ensureFirewall(): Promise<boolean> {
  const { stdout } = await run("nft", ["list", "tables"]);
  const present = stdout.split("\n");
  if (
    tables.every((table) => present.includes(table)) &&
    (await isRoutingClosed("-4")) &&
    (!existsSync("/proc/net/if_inet6") || (await isRoutingClosed("-6")))
  ) {
    return false;
  }
  await run("systemctl", [
    "reload-or-restart",
    "daytona-gateway-firewall.service",
  ]);
  return true;
}

/** Whether firewall.sh's routing rules are there. */
async function isRoutingClosed(family: "-4" | "-6"): Promise<boolean> {
  const shown = await run("ip", [family, "rule", "show", "priority", "20"]);
  return shown.stdout.includes("prohibit");
}
