import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Deployment, Machine } from "../deployments/deployment.ts";

/** How long an edge may take to put a document to work, in milliseconds. */
const limit = 60_000;

/**
 * Waits until every edge says that a document is at work.
 * @returns what to add for people: nothing, or when edges that nobody can ask
 *   put it to work
 * @throws Error with what an edge says instead
 */
export async function takesEffect(
  deployment: Deployment,
  document: string,
  content: string,
): Promise<string> {
  const version = createHash("sha256").update(content).digest("hex");
  const edges = await deployment.edges();
  const silent = edges.filter(({ status }) => !status);
  await Promise.all(
    edges.map((edge) => waitUntilLive(edge, document, version)),
  );
  return silent.length === 0
    ? ""
    : ` as soon as the edges have read the store, within 5 s; nobody can ask them, but their logs say "${document}: …"`;
}

async function waitUntilLive(
  { name, status }: Machine,
  document: string,
  version: string,
): Promise<void> {
  if (!status) return;
  let last = "nothing";
  for (const deadline = Date.now() + limit; Date.now() < deadline;) {
    try {
      last = await status();
      const states = JSON.parse(last) as Record<
        string,
        { version?: string; error?: string } | undefined
      >;
      const state = states[document];
      if (state?.version === version && state.error === undefined) return;
    } catch (error) {
      last = String(error);
    }
    await sleep(100);
  }
  throw new Error(
    `${document} is in the store, but the edge ${name} has not put it to work within ${String(limit / 1000)} s; it says: ${last}`,
  );
}
