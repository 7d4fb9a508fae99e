/** Batches keep to what CloudWatch takes, whatever comes. */
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test, vi } from "vitest";
import {
  type Batch,
  batches,
  limits,
} from "../../../../infra/machine/logs/batches.ts";
import type { Row } from "../../../../infra/machine/logs/journal.ts";
import { Random } from "../../../random.ts";

const soon = 20;
const row = (index: number, change: Partial<Row> = {}): Row => ({
  cursor: `s=${String(index)}`,
  timestamp: 1_800_000_000_000 + index,
  message: `{"row":${String(index)}}`,
  ...change,
});

// eslint-disable-next-line @typescript-eslint/require-await
async function* from(rows: readonly Row[]): AsyncGenerator<Row> {
  yield* rows;
}

async function all(rows: AsyncIterable<Row>): Promise<Batch[]> {
  const found: Batch[] = [];
  for await (const batch of batches(rows, soon)) found.push(batch);
  return found;
}

const sizes = (found: readonly Batch[]) =>
  found.map(({ events }) => events.length);

/** What PutLogEvents counts. */
const bytes = ({ events }: Batch) =>
  events.reduce((sum, { message }) => sum + Buffer.byteLength(message) + 26, 0);

test("rows that come together go together, and say where the journal goes on", async () => {
  const [first, ...others] = await all(from([row(1), row(2), row(3)]));
  expect(others).toEqual([]);
  expect(first).toEqual({
    events: [1, 2, 3].map((index) => {
      const { timestamp, message } = row(index);
      return { timestamp, message };
    }),
    cursor: "s=3",
  });
});

test("no rows are no batch", async () => {
  expect(await all(from([]))).toEqual([]);
});

describe("a batch is full", () => {
  test("with 10 000 rows", async () => {
    const rows = Array.from({ length: 20_001 }, (_, index) => row(index));
    expect(sizes(await all(from(rows)))).toEqual([10_000, 10_000, 1]);
  });

  test("with 1 048 576 bytes, of which each row takes 26 besides", async () => {
    const message = "x".repeat(1_048_576 / 4 - 26);
    const rows = Array.from({ length: 5 }, (_, index) =>
      row(index, { message }),
    );
    const found = await all(from(rows));
    expect(sizes(found)).toEqual([4, 1]);
    expect(found[0] && bytes(found[0])).toBe(1_048_576);
    // One byte more is too much.
    const [first] = rows;
    const longer = [{ ...row(0), message: `${message}x` }, ...rows.slice(1)];
    expect(first && sizes(await all(from(longer)))).toEqual([3, 2]);
  });

  test("in UTF-8, not in characters", async () => {
    const message = "ü".repeat(300_000);
    const found = await all(from([0, 1].map((i) => row(i, { message }))));
    expect(sizes(found)).toEqual([1, 1]);
  });

  test("with a day from its first row to its last", async () => {
    const day = 24 * 60 * 60 * 1000;
    const at = (timestamp: number) => row(0, { timestamp });
    expect(sizes(await all(from([at(0), at(day), at(day + 1)])))).toEqual([
      2, 1,
    ]);
    expect(sizes(await all(from([at(day + 1), at(0)])))).toEqual([1, 1]);
  });
});

test("a clock that was set back: in the order of times, to go on after the last that came", async () => {
  const [batch] = await all(from([row(5), row(3), row(4)]));
  expect(batch?.events.map(({ timestamp }) => timestamp % 1000)).toEqual([
    3, 4, 5,
  ]);
  expect(batch?.cursor).toBe("s=4");
});

test("a row waits for others, but not for ever", async () => {
  const found: number[] = [];
  async function* slowly() {
    yield row(1);
    yield row(2);
    await vi.waitFor(
      () => {
        expect(found).toEqual([2]);
      },
      { timeout: 120_000 },
    );
    yield row(3);
  }
  for await (const { events } of batches(slowly(), soon)) {
    found.push(events.length);
  }
  expect(found).toEqual([2, 1]);
});

test("while a batch is being sent, no more than one row is read", async () => {
  let read = 0;
  // eslint-disable-next-line @typescript-eslint/require-await
  async function* endless() {
    for (;;) yield row(read++);
  }
  for await (const { events } of batches(endless(), 10_000)) {
    expect(events).toHaveLength(limits.events);
    const before = read;
    await sleep(soon);
    expect(read).toBe(before);
    expect(read).toBe(limits.events + 1);
    break;
  }
});

test("a journal that fails is a failure", async () => {
  // eslint-disable-next-line @typescript-eslint/require-await
  async function* failing() {
    yield row(1);
    throw new Error("journalctl ended with 1");
  }
  await expect(all(failing())).rejects.toThrow("journalctl ended with 1");
});

test("whatever comes: every limit is kept, every row is there once, in its place", async () => {
  const chance = new Random(1);
  for (let round = 0; round < 20; round++) {
    const rows = Array.from({ length: chance.between(1, 2_000) }, (_, index) =>
      row(index, {
        timestamp: 1_800_000_000_000 + chance.below(30 * 60 * 60 * 1000),
        message: "é".repeat(chance.between(1, 20_000)),
      }),
    );
    const found = await all(from(rows));
    expect(found.flatMap(({ events }) => events)).toHaveLength(rows.length);
    let done = 0;
    for (const batch of found) {
      const { events, cursor } = batch;
      const times = events.map(({ timestamp }) => timestamp);
      expect(events.length).toBeLessThanOrEqual(10_000);
      expect(bytes(batch)).toBeLessThanOrEqual(1_048_576);
      expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeLessThanOrEqual(
        24 * 60 * 60 * 1000,
      );
      expect(times).toEqual([...times].sort((a, b) => a - b));
      done += events.length;
      expect(cursor).toBe(rows[done - 1]?.cursor);
    }
  }
});
