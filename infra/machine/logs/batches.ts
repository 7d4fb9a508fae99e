/** Rows in batches that CloudWatch takes. */
import type { Row } from "./journal.ts";

/** Rows to be sent at once. */
export interface Batch {
  /** In the order of their times. */
  readonly events: readonly LogEvent[];
  /** Where the journal goes on after them. */
  readonly cursor: string;
}

export type LogEvent = Pick<Row, "timestamp" | "message">;

/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html */
export const limits = {
  /** Bytes of a batch: its messages in UTF-8, and so many more for each. */
  batchBytes: 1_048_576,
  eventBytes: 26,
  events: 10_000,
  /** From the first to the last of a batch, in milliseconds. */
  span: 24 * 60 * 60 * 1000,
} as const;

/**
 * Batches of what comes, each as soon as it is full or its first row has waited.
 * At most one is held here, and one row more.
 * @param patience how long a row waits for others, in milliseconds
 */
export async function* batches(
  rows: AsyncIterable<Row>,
  patience: number,
): AsyncGenerator<Batch> {
  const source = rows[Symbol.asyncIterator]();
  const read = () => {
    const next = source.next();
    // A failure is met below; until then it shall not end the process.
    next.catch(() => undefined);
    return next;
  };
  let next = read();
  let timeout: NodeJS.Timeout | undefined;
  try {
    for (;;) {
      const open = new OpenBatch();
      let got: "over" | IteratorResult<Row> = await next;
      const over = new Promise<"over">((resolve) => {
        timeout = setTimeout(resolve, patience, "over");
      });
      while (got !== "over" && got.done !== true && open.has(got.value)) {
        open.add(got.value);
        next = read();
        got = await Promise.race([next, over]);
      }
      clearTimeout(timeout);
      if (!open.isEmpty) yield open.close();
      if (got !== "over" && got.done === true) return;
    }
  } finally {
    clearTimeout(timeout);
  }
}

class OpenBatch {
  readonly #rows: Row[] = [];
  #bytes = 0;
  #first = Infinity;
  #last = -Infinity;

  get isEmpty(): boolean {
    return this.#rows.length === 0;
  }

  /** Whether there is room for a row. */
  has({ timestamp, message }: Row): boolean {
    if (this.isEmpty) return true;
    const first = Math.min(this.#first, timestamp);
    const last = Math.max(this.#last, timestamp);
    return (
      this.#rows.length < limits.events &&
      this.#bytes + size(message) <= limits.batchBytes &&
      last - first <= limits.span
    );
  }

  add(row: Row): void {
    this.#rows.push(row);
    this.#bytes += size(row.message);
    this.#first = Math.min(this.#first, row.timestamp);
    this.#last = Math.max(this.#last, row.timestamp);
  }

  close(): Batch {
    return {
      // A clock that was set back: the journal has them as they came.
      events: this.#rows
        .map(({ timestamp, message }) => ({ timestamp, message }))
        .sort((a, b) => a.timestamp - b.timestamp),
      cursor: this.#rows.at(-1)?.cursor ?? "",
    };
  }
}

function size(message: string): number {
  return Buffer.byteLength(message) + limits.eventBytes;
}
