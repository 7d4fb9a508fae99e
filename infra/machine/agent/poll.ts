/** What lives here: the library that the agents on the machines share, for Node 20. */
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { Reader } from "../store/store.ts";
import { writeAtomically } from "../write-atomically.ts";
import { fileStates } from "./files.ts";
import { messageOf } from "./message-of.ts";

/** One document of live state and what makes it take effect. */
export interface PolledDocument {
  readonly name: string;
  /**
   * Verifies the content as a whole and makes it take effect; called again and
   * again, so it must repair what was lost (a restarted HAProxy, say).
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
  /**
   * All that the documents have become on this machine, however it is written:
   * files, what HAProxy has. While it and the documents stay what they were when
   * there was nothing to do, there is nothing to do.
   * @returns undefined where something else counts as well
   */
  readonly inPlace: () => Promise<unknown>;
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

/** Nothing to do is believed for so long, in milliseconds: certificates age. */
const restLimit = 60_000;

/** Polls the store for ever; says each change, and each failure once. */
export async function poll(options: PollOptions): Promise<void> {
  const states = new Map<string, Status>();
  let isLive = false;
  let unsaid = "";
  let hasFailed = false;
  let rest: { contents: unknown; made: unknown; since: number } | undefined;
  while (!options.signal?.aborted) {
    const contents = await orUndefined(() => contentsOf(options));
    const isNew = rest && !isDeepStrictEqual(contents, rest.contents);
    // What is new does not wait for a program that may not answer.
    const made =
      isNew || hasFailed ? undefined : await orUndefined(() => madeOf(options));
    if (
      rest &&
      made &&
      performance.now() - rest.since < restLimit &&
      isDeepStrictEqual(made, rest.made)
    ) {
      await sleep(options.intervalMs);
      continue;
    }
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
    hasFailed =
      unsaid !== "" || [...states.values()].some((state) => state.error);
    // What changed meanwhile may have been lost: then it is done again.
    const isAtRest =
      !hasFailed &&
      made &&
      isDeepStrictEqual(made, await orUndefined(() => madeOf(options)));
    rest = isAtRest ? { contents, made, since: performance.now() } : undefined;
    await sleep(options.intervalMs);
  }
}

async function contentsOf({ store, documents }: PollOptions) {
  const contents: (string | undefined)[] = [];
  for (const { name } of documents) contents.push(await store.read(name));
  return contents;
}

async function madeOf({ statusFile, inPlace }: PollOptions) {
  const made = await inPlace();
  return made && [made, fileStates([statusFile])];
}

/** Whoever applies the documents says why. */
async function orUndefined<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch {
    return undefined;
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
