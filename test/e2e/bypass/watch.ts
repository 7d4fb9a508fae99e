/** What arrived at the lab's internet from the machine that sandboxes run on. */
import { askInternet } from "../internet.ts";
import { labExec } from "../lab.ts";

const table = "inet bypass_watch";

/**
 * Counts packets from sandboxes, or from their machine in their name, to
 * anywhere but the hosts that rules allow and the name servers.
 */
const ruleset = `
table ${table} {
  chain arrived {
    type filter hook prerouting priority -300; policy accept;
    ip saddr { 198.18.0.3, 172.20.0.0/16 } jump judge
    ip6 saddr 2001:db8:198:18::3 jump judge
    ip6 saddr 2001:db8:20::/64 jump judge
  }
  chain judge {
    ct direction reply return
    ip saddr 172.20.0.0/16 goto forbidden
    ip daddr { 203.0.113.10, 203.0.113.11, 203.0.113.12 } tcp dport 443 return
    ip daddr { 198.18.0.2, 198.18.0.22 } meta l4proto { tcp, udp } th dport 53 return
    icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert, mld2-listener-report } return
    goto forbidden
  }
  chain forbidden {
    counter
  }
}`;

/** Starts counting, from zero. */
export async function watch(): Promise<void> {
  await unwatch();
  await on(`nft '${ruleset}'`);
}

export async function unwatch(): Promise<void> {
  // Made first, so that taking it away fails only when something is wrong.
  await on(`nft 'table ${table}; delete table ${table}'`);
}

/** Packets that arrived where none may. */
export async function forbiddenPackets(): Promise<number> {
  const listed = await on(`nft list table ${table}`);
  return Number(/counter packets (\d+)/.exec(listed)?.[1] ?? NaN);
}

/** Names that the internet's name servers were asked for, and requests by host. */
export async function arrivedText(): Promise<string> {
  const [queries, requests] = await Promise.all([
    askInternet("queries"),
    askInternet("requests"),
  ]);
  return queries + requests;
}

export async function forget(): Promise<void> {
  await askInternet("queries", "-X", "DELETE");
  await askInternet("requests", "-X", "DELETE");
}

async function on(script: string): Promise<string> {
  const { stdout, stderr, exitCode } = await labExec("internet", [
    ...["sh", "-c", script],
  ]);
  if (exitCode !== 0) throw new Error(stderr);
  return stdout;
}
