/** Keeps the firewall in place, whatever becomes of the rules. */
import { appendFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { messageOf } from "../machine/agent/message-of.ts";
import { type Command, monitor } from "../machine/agent/monitor.ts";
import { run } from "../machine/places.ts";
import { ensureFirewall, inTurn } from "./firewall.ts";

/** The firewall is looked at so often at most, in ms: once is what a change costs at worst. */
const interval = 1_000;
/** And so often without a change, in ms, in case that a monitor told nothing of one. */
const lookAgain = 10_000;
/** Other programs change several things in a row, in ms. */
const settling = 50;

/**
 * Prints something whenever nftables changes. The kernel's own messages
 * (AF_NETLINK, NETLINK_NETFILTER, group NFNLGRP_NFTABLES) tell no more than that;
 * `nft monitor` would hold all sets of all programs on this machine in memory.
 */
export const nftablesChanges: Command = [
  "socat",
  ...["-u", "SOCKET-RECV:16:3:12:x0000x00000000x40000000", "-"],
];
const monitors: readonly Command[] = [
  nftablesChanges,
  ["ip", "monitor", "rule"],
];

/** @returns what is told the interfaces that are walled; none before */
export function guardFirewall(): (interfaces: readonly string[]) => void {
  let walled: readonly string[] = [];
  let changed = new AbortController();
  const look = () => {
    changed.abort();
  };

  async function guard(): Promise<never> {
    let failure = "";
    for (;;) {
      changed = new AbortController();
      const next = sleep(interval);
      try {
        if (await inTurn(() => ensureFirewall(walled))) {
          console.log("firewall: was not whole, is loaded again");
          // For doctor: whoever did that will do it again.
          const now = `${new Date().toISOString()}\n`;
          await appendFile(`${run("gateway")}/firewall-restored`, now);
        }
        failure = "";
      } catch (error) {
        const message = messageOf(error);
        if (message !== failure) console.error(`firewall: ${message}`);
        failure = message;
      }
      await next;
      if (failure !== "") continue;
      const { signal } = changed;
      await sleep(lookAgain, undefined, { signal }).catch(() => undefined);
      await sleep(settling);
    }
  }

  void guard();
  for (const command of monitors) {
    void monitor(command, look, (line) => {
      console.error(`firewall: ${line}`);
    });
  }
  return (interfaces) => {
    if (isDeepStrictEqual(interfaces, walled)) return;
    walled = interfaces;
    look();
  };
}
