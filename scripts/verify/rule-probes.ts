/** Probes of the stack's own rules: two rows a host, whatever its rules are. */
import type { EgressRule } from "../../infra/gateway/rules.ts";
import type { Probe } from "./probe.ts";
import {
  type HostChecks,
  type RuleCheck,
  brief,
  ruleChecks,
} from "./rule-checks.ts";

/** Runs a command in the sandbox under test. */
export type Execute = (
  command: string,
) => Promise<{ exitCode: number; result: string }>;

export interface RuleTarget {
  readonly rules: readonly EgressRule[];
  /** Address of the gateway as sandboxes see it. */
  readonly gateway: string;
  /** The gateway's credentials; no answer may contain one. */
  readonly secrets: readonly string[];
  readonly execute: Execute;
}

type Side = "allowed" | "refused";

export function ruleProbes(
  target: RuleTarget,
  sides: readonly Side[] = ["allowed", "refused"],
): Probe[] {
  return ruleChecks(target.rules, target.gateway).flatMap((host) =>
    sides.flatMap((side) => hostProbe(host, side === "allowed", target)),
  );
}

function hostProbe(
  { host, checks, untried }: HostChecks,
  allowed: boolean,
  target: RuleTarget,
): Probe[] {
  const own = checks.filter((check) => check.allowed === allowed);
  const unknown = allowed ? untried : [];
  if (own.length + unknown.length === 0) return [];
  return [
    {
      road: "out",
      name: `${host}: ${allowed ? "what is allowed" : "what is not"}`,
      command: own.map(({ command }) => command).join("\n         "),
      expected: allowed ? "answered" : "refused, each for its reason",
      attempt: async () => {
        const outcomes = [];
        for (const check of own) outcomes.push(await tryCheck(check, target));
        const failed = outcomes.filter(({ holds }) => !holds);
        // Refusals that are as they should be say no more than their names.
        const said =
          failed.length > 0 || allowed
            ? (failed.length > 0 ? failed : outcomes).map(({ got }) => got)
            : own.map(({ what }) => what);
        const skipped = unknown.map(
          (url) => `not tried: ${url}, no safe method`,
        );
        return {
          ok: failed.length === 0,
          got: [...said, ...skipped].join(", "),
        };
      },
    },
  ];
}

async function tryCheck(
  { command, what, holds }: RuleCheck,
  { execute, secrets }: RuleTarget,
): Promise<{ holds: boolean; got: string }> {
  const { result } = await execute(command);
  const got = `${what} ${brief(result)}`;
  return secrets.some((secret) => result.includes(secret))
    ? { holds: false, got: `${got}, with the gateway's own secret in it` }
    : { holds: holds(result), got };
}
