import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

/** How long an edge may take to put a document to work, in milliseconds. */
const limit = 60_000;

/**
 * Waits until an edge says that a document is at work.
 * @param address of the edge
 * @throws Error with what the edge says instead
 */
export async function waitUntilLive(
  address: string,
  document: string,
  content: string,
): Promise<void> {
  const version = createHash("sha256").update(content).digest("hex");
  let last = "nothing";
  for (const deadline = Date.now() + limit; Date.now() < deadline;) {
    try {
      const response = await fetch(`http://${address}:8404/status`);
      last = await response.text();
      const status = JSON.parse(last) as Record<
        string,
        { version?: string; error?: string } | undefined
      >;
      const state = status[document];
      if (state?.version === version && state.error === undefined) return;
    } catch (error) {
      last = String(error);
    }
    await sleep(100);
  }
  throw new Error(
    `${document} is in the store, but the edge ${address} has not put it to work within ${String(limit / 1000)} s; it says: ${last}`,
  );
}
