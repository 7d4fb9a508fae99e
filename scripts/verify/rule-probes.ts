/** Probes of the stack's own rules: two rows a host, whatever its rules are. */
import type { EgressRule } from "../../infra/gateway/rules.ts";
import type { Execute } from "./egress.ts";
import type { Probe } from "./probe.ts";
import {
  type CheckArgs,
  type HostChecks,
  type RuleCheck,
  brief,
  ruleChecks,
} from "./rule-checks.ts";

type Side = "allowed" | "refused";

export function ruleProbes(
  rules: readonly EgressRule[],
  args: CheckArgs,
  execute: Execute,
  sides: readonly Side[] = ["allowed", "refused"],
): Probe[] {
  return ruleChecks(rules, args).flatMap((host) =>
    sides.flatMap((side) => hostProbe(host, side === "allowed", execute)),
  );
}

function hostProbe(
  { host, checks, untried }: HostChecks,
  allowed: boolean,
  execute: Execute,
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
        for (const check of own) outcomes.push(await tryCheck(check, execute));
        const failed = outcomes.filter(({ holds }) => !holds);
        // Refusals that are as they should be say no more than their names.
        const shown =
          failed.length > 0
            ? failed
            : outcomes.map(({ what, said }) => ({
                said: allowed ? said : what,
              }));
        return {
          ok: failed.length === 0,
          got: [
            ...shown.map(({ said }) => said),
            ...unknown.map((url) => `not tried: ${url}, no safe method`),
          ].join(", "),
        };
      },
    },
  ];
}

async function tryCheck(
  check: RuleCheck,
  execute: Execute,
): Promise<{ what: string; holds: boolean; said: string }> {
  const { result } = await execute(check.command);
  return {
    what: check.what,
    holds: check.holds(result),
    said: `${check.what} ${brief(result)}`,
  };
}
