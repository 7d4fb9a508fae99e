/** What learn mode let through, out of the gateway's journal. */
import { journalEntries, json, proxyRow } from "./journal.ts";

/** A host, or one request to a host whose requests are inspected. */
export interface Learnt {
  readonly host: string;
  readonly request?: { readonly method: string; readonly path: string };
}

/** What was learnt among lines of `journalctl -o json`, each thing once. */
export function learntOf(journal: string): Learnt[] {
  const found = new Map<string, Learnt>();
  for (const { message } of journalEntries(journal)) {
    const row = proxyRow.safeParse(json(message));
    if (!row.success || row.data.verdict !== "learnt") continue;
    const { kind, host, method, path } = row.data;
    const learnt =
      kind === "tls" ? { host } : { host, request: { method, path } };
    found.set(JSON.stringify(learnt), learnt);
  }
  return [...found.values()];
}
