/**
 * The table of causes, in the order in which they are named: what explains most
 * comes first, and what only follows from it is not named beside it.
 */
import type { Observations } from "../observations.ts";
import { type Cause, type Verdict, follows } from "./cause.ts";
import { limitIgnored, noShell, statusLost, tooLong } from "./commands.ts";
import {
  faultyRules,
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

interface Consequence {
  readonly from: Cause;
  /** When absent: whenever that one is named. */
  readonly when?: (seen: Observations) => boolean;
  readonly are: readonly Cause[];
}

const consequences: readonly Consequence[] = [
  {
    from: subnetCollision,
    are: [
      ...[noApi, closedProxy, runnerDomain, noWayToSandbox, noServerEgress],
      ...[iptablesVariant, forwardingGone, packetSize, noNames],
    ],
  },
  { from: notRunning, are: [runnerDomain, noWayToSandbox] },
  { from: cloudflareBefore, are: [closedProxy] },
  { from: toolboxAddress, are: [closedProxy] },
  {
    from: noServerEgress,
    are: [iptablesVariant, forwardingGone, packetSize, noNames],
  },
  { from: iptablesVariant, are: [forwardingGone] },
  // Ports that Docker publishes are forwarded by the server as well.
  ...[iptablesVariant, forwardingGone].map((from) => ({
    ...{ from, are: [noApi, closedProxy] },
    when: (seen: Observations) => faultyRules(seen)?.of === "server",
  })),
  { from: ownRules, are: [noNames] },
  { from: noShell, are: [limitIgnored] },
];

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
    for (const { from, when, are } of consequences) {
      if (from !== cause || when?.(seen) === false) continue;
      for (const one of are) explained.set(one, cause);
    }
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
