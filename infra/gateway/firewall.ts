import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Tables that nftables.conf and nftables-bridge.conf load. */
const tables = ["table inet daytona_egress", "table bridge daytona_egress"];

/**
 * Loads the firewall again when another program took it away: `nft flush
 * ruleset`, which Debian's own nftables.service does whenever it restarts,
 * spares nobody's tables.
 * @returns whether it was away
 * @throws Error when it cannot be loaded
 */
export async function ensureFirewall(): Promise<boolean> {
  const { stdout } = await run("nft", ["list", "tables"]);
  const present = stdout.split("\n");
  if (tables.every((table) => present.includes(table))) return false;
  await run("systemctl", [
    "reload-or-restart",
    "daytona-gateway-firewall.service",
  ]);
  return true;
}
