/** Sends batches one after the other, and keeps what is not sent yet. */
import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "../agent/message-of.ts";
import type { Batch, LogEvent } from "./batches.ts";

/** Where rows go. */
export interface LogStream {
  /**
   * @returns what of the rows will never be taken, in words
   * @throws Error when another try may succeed
   */
  put(events: readonly LogEvent[]): Promise<string | undefined>;
}

export interface ShipOptions {
  readonly batches: AsyncIterable<Batch>;
  readonly stream: LogStream;
  /** Called once a batch is there, with where the journal goes on after it. */
  readonly sent: (cursor: string, rows: number) => Promise<void>;
  readonly log: (line: string) => void;
  /** Between tries, at first and at most, in milliseconds; each doubles it. */
  readonly pause: { readonly first: number; readonly longest: number };
  /** Ends the trying. */
  readonly signal?: AbortSignal;
}

/**
 * Sends all batches. Without CloudWatch it tries for ever, takes no other batch
 * meanwhile, and says each failure once.
 * @throws Error when it shall end before they are there
 */
export async function ship(options: ShipOptions): Promise<void> {
  for await (const { events, cursor } of options.batches) {
    const lost = await put(events, options);
    if (lost !== undefined) options.log(`never taken: ${lost}`);
    await options.sent(cursor, events.length);
  }
}

async function put(
  events: readonly LogEvent[],
  { stream, log, pause, signal }: ShipOptions,
): Promise<string | undefined> {
  let said: string | undefined;
  for (let wait = pause.first; ; wait = Math.min(2 * wait, pause.longest)) {
    try {
      const lost = await stream.put(events);
      if (said !== undefined) log("sent again");
      return lost;
    } catch (error) {
      const message = messageOf(error);
      if (message !== said) log(`not sent: ${message}`);
      said = message;
      // Not all machines at the same moment.
      await sleep(wait * (0.5 + Math.random() / 2), undefined, { signal });
    }
  }
}
