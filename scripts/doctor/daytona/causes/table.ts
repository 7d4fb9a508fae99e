/**
 * The table of causes, in the order in which they are named: what explains most
 * comes first, and what only follows from it is not named beside it.
 */
import type { Observations } from "../observations.ts";
import { type Cause, type Verdict, follows } from "./cause.ts";
import { limitIgnored, noShell, statusLost, tooLong } from "./commands.ts";
import {
  forwardingGone,
  iptablesVariant,
  noNames,
  noServerEgress,
  ownRules,
  packetSize,
  proxyVariables,
  subnetCollision,
} from "./egress.ts";
import {
  closedProxy,
  cloudflareBefore,
  keyRefused,
  noApi,
  noWayToSandbox,
  notRunning,
  runnerDomain,
  toolboxAddress,
} from "./reach-in.ts";

export const causes: readonly Cause[] = [
  subnetCollision,
  noApi,
  keyRefused,
  notRunning,
  toolboxAddress,
  cloudflareBefore,
  closedProxy,
  runnerDomain,
  noWayToSandbox,
  noServerEgress,
  iptablesVariant,
  forwardingGone,
  ownRules,
  packetSize,
  noNames,
  proxyVariables,
  noShell,
  limitIgnored,
  statusLost,
  tooLong,
];

/** What a cause, where it is named, also brings about. */
const consequences = new Map<Cause, readonly Cause[]>([
  [
    subnetCollision,
    [
      noApi,
      closedProxy,
      runnerDomain,
      noWayToSandbox,
      noServerEgress,
      iptablesVariant,
      forwardingGone,
      packetSize,
      noNames,
    ],
  ],
  [notRunning, [runnerDomain, noWayToSandbox]],
  [cloudflareBefore, [closedProxy]],
  [toolboxAddress, [closedProxy]],
  [noServerEgress, [iptablesVariant, forwardingGone, packetSize, noNames]],
  [iptablesVariant, [forwardingGone]],
  [ownRules, [noNames]],
  [noShell, [limitIgnored]],
]);

export interface Judged {
  readonly cause: Cause;
  readonly verdict: Verdict;
}

/** Every cause with its verdict, those that are there first. */
export function judgeAll(seen: Observations): Judged[] {
  const all = causes.map((cause) => ({ cause, verdict: cause.judge(seen) }));
  const explained = new Map<Cause, Cause>();
  for (const { cause, verdict } of all) {
    if (verdict.state !== "named" || explained.has(cause)) continue;
    for (const one of consequences.get(cause) ?? []) explained.set(one, cause);
  }
  const judged = all.map((one): Judged => {
    const by = explained.get(one.cause);
    const { state, because } = one.verdict;
    return by && (state === "named" || state === "possible")
      ? { ...one, verdict: follows(by, because) }
      : one;
  });
  const order = ["named", "possible", "follows", "unknown", "excluded"];
  return judged.toSorted(
    (a, b) => order.indexOf(a.verdict.state) - order.indexOf(b.verdict.state),
  );
}
