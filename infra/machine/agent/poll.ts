/** What lives here: the library that the agents on the machines share, for Node 20. */
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Reader } from "../store/store.ts";
import { writeAtomically } from "../write-atomically.ts";
import { messageOf } from "./message-of.ts";

/** One document of live state and what makes it take effect. */
export interface PolledDocument {
  readonly name: string;
  /**
   * Verifies the content as a whole and makes it take effect; called again and
   * again, so it must be cheap when nothing changed and repair what was lost
   * (a restarted HAProxy, say).
   * @returns what is live now, in words
   * @throws Error when the content is refused; what was live must stay
   */
  readonly apply: (content: string) => Promise<string>;
  /** Called each time that the content is missing, refused or fails to apply. */
  readonly onFailure?: () => Promise<void>;
}

export interface PollOptions {
  readonly store: Reader;
  readonly documents: readonly PolledDocument[];
  readonly intervalMs: number;
  /** JSON file that says what is live, and since when. */
  readonly statusFile: string;
  readonly log: (line: string) => void;
  /** Called once, when every document has taken effect for the first time. */
  readonly onLive?: () => Promise<void>;
  readonly signal?: AbortSignal;
}

interface Status {
  /** SHA-256 of the content. */
  version?: string;
  live?: string;
  error?: string;
}

/** Polls the store for ever; says each change, and each failure once. */
export async function poll(options: PollOptions): Promise<void> {
  const states = new Map<string, Status>();
  let isLive = false;
  let unsaid = "";
  while (!options.signal?.aborted) {
    for (const document of options.documents) {
      const before = states.get(document.name) ?? {};
      const now = await applyOnce(options.store, document, before);
      states.set(document.name, now);
      if (now.error !== before.error && now.error !== undefined) {
        options.log(`${document.name}: ${now.error}`);
      }
      if (now.live !== before.live && now.live !== undefined) {
        options.log(`${document.name}: ${now.live}`);
      }
    }
    const status = JSON.stringify(Object.fromEntries(states), undefined, 2);
    try {
      await writeAtomically(options.statusFile, `${status}\n`, 0o644);
      unsaid = "";
    } catch (error) {
      // No reason to stop: the disk is full, say, and what is live stays live.
      const message = messageOf(error);
      if (message !== unsaid) options.log(`status: ${message}`);
      unsaid = message;
    }
    if (!isLive && [...states.values()].every((state) => state.live)) {
      isLive = true;
      await options.onLive?.();
    }
    await sleep(options.intervalMs);
  }
}

async function applyOnce(
  store: Reader,
  document: PolledDocument,
  before: Status,
): Promise<Status> {
  // What was live stays live, whatever goes wrong with the new state.
  const kept = before.live === undefined ? {} : { live: before.live };
  try {
    const found = await store.read(document.name);
    if (found === undefined) throw new Error("not in the store yet");
    const live = await document.apply(found);
    const version = createHash("sha256").update(found).digest("hex");
    return { version, live };
  } catch (error) {
    const failures = [messageOf(error)];
    try {
      await document.onFailure?.();
    } catch (next) {
      failures.push(messageOf(next));
    }
    return { ...kept, error: [...new Set(failures)].join("; then ") };
  }
}
