/** `npm run verify -- --bypass`: the rows as probes. */
import type { Probe } from "../probe.ts";
import { LabError } from "../../lab/command.ts";
import type { Execute } from "../rule-probes.ts";
import type { Refusals } from "./refusals.ts";
import { liveRows } from "./rows.ts";
import type { BypassTarget } from "./target.ts";
import { tryRow } from "./try-row.ts";

/**
 * @param numbers rows to try; all when empty
 * @throws LabError that names the rows which there are not
 */
export function bypassProbes(
  target: BypassTarget,
  numbers: readonly string[],
  execute: Execute,
  refusals: Refusals,
): Probe[] {
  const rows = liveRows(target);
  const known = rows.map((row) => String(row.number));
  const unknown = numbers.filter((number) => !known.includes(number));
  if (unknown.length > 0) {
    throw new LabError(
      `--bypass ${unknown.join(" ")}: not among the rows that can be tried with these rules; they are ${known.join(" ")}`,
    );
  }
  const chosen = rows.filter(
    (row) => numbers.length === 0 || numbers.includes(String(row.number)),
  );
  return chosen.map((row) => ({
    road: "out",
    name: `${String(row.number).padStart(2)} ${row.attempt}`,
    command: row.command.replaceAll("\n", "\n         "),
    expected: "refused and logged",
    attempt: () => tryRow(row, execute, refusals),
  }));
}
