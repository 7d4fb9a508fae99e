/** What learn mode let through, out of gateways' logs. */
import { type JournalEntry, json } from "../deployments/journal.ts";
import { proxyRow } from "./proxy-row.ts";

/** A host, or one request to a host whose requests are inspected. */
export interface Learnt {
  readonly host: string;
  readonly request?: { readonly method: string; readonly path: string };
}

/** What was learnt among what gateways logged, each thing once. */
export function learntOf(entries: readonly JournalEntry[]): Learnt[] {
  const found = new Map<string, Learnt>();
  for (const { message } of entries) {
    const row = proxyRow.safeParse(json(message));
    if (!row.success || row.data.verdict !== "learnt") continue;
    const { kind, host, method, path } = row.data;
    const learnt =
      kind === "tls" ? { host } : { host, request: { method, path } };
    found.set(JSON.stringify(learnt), learnt);
  }
  return [...found.values()];
}
