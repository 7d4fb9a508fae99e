import { setTimeout as sleep } from "node:timers/promises";
import type { Execute } from "../rule-probes.ts";
import type { Attempt } from "../probe.ts";
import type { Refusals } from "./refusals.ts";
import type { Row } from "./row.ts";

/** How often the log is looked at, twice a second: ulogd2 writes a row a while later. */
const looks = 40;

/**
 * Tries one row. It holds when every line that the sandbox printed is a "no"
 * and the gateway's log has the rows for it.
 */
export async function tryRow(
  row: Row,
  execute: Execute,
  refusals: Refusals,
): Promise<Attempt> {
  const before = (await refusals()).length;
  const { result } = await execute(row.command);
  const lines = result.split("\n").filter((line) => line.trim() !== "");
  if (lines.length === 0) return { ok: false, got: "the sandbox said nothing" };
  const passed = lines.filter((line) => !row.denied.test(line));
  if (passed.length > 0) {
    return { ok: false, got: `not refused: ${passed.join(" | ")}` };
  }
  for (let look = 1; row.logged.length > 0; look++) {
    const rows = (await refusals()).slice(before);
    const missing = row.logged.filter(
      (wanted) => !rows.some((logged) => logged.startsWith(wanted)),
    );
    if (missing.length === 0) break;
    if (look === looks) {
      return {
        ok: false,
        got: `refused, but not in the gateway's log: ${missing.join(" | ")}`,
      };
    }
    await sleep(500);
  }
  return { ok: true, got: row.note ?? "refused and logged" };
}
