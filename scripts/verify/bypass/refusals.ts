/** What the gateways' logs say of one sandbox, from a moment on. */
import type { JournalEntry } from "../../deployments/journal.ts";
import { type Denial, denialsOf } from "../../egress/denials.ts";

/** Rows as `by wanted reason`. */
export type Refusals = () => Promise<string[]>;

/**
 * Begins now.
 * @param sandbox its address
 * @param logs what gateways logged since a moment
 */
export function refusalsOf(
  sandbox: string,
  logs: (since: Date) => Promise<readonly JournalEntry[]>,
): Refusals {
  const since = new Date();
  return async () =>
    denialsOf(await logs(since))
      .filter((denial) => isOf(sandbox, denial))
      .map(({ by, wanted, reason }) => `${by} ${wanted} ${reason}`);
}

/**
 * Where the runner is in a container, the Docker in there asks for names, for all
 * of its sandboxes.
 */
function isOf(sandbox: string, denial: Denial): boolean {
  return (
    denial.sandbox === sandbox ||
    (denial.by === "resolver" && denial.sandbox === "127.0.0.1")
  );
}
