/** What is sent, when it is tried again, and what is written down. */
import { expect, test } from "vitest";
import type { Batch } from "../../../../infra/machine/logs/batches.ts";
import { ship } from "../../../../infra/machine/logs/ship.ts";

const batch = (name: string): Batch => ({
  events: [{ timestamp: 1, message: name }],
  cursor: name,
});

/** A stream that answers each try as it is told; at the end, well. */
function world(answers: readonly (string | Error | undefined)[]) {
  const log: string[] = [];
  const tries: string[] = [];
  const cursors: string[] = [];
  let taken = 0;
  // eslint-disable-next-line @typescript-eslint/require-await
  async function* source() {
    for (const name of ["a", "b"]) {
      taken++;
      yield batch(name);
    }
  }
  const run = (signal?: AbortSignal) =>
    ship({
      batches: source(),
      stream: {
        put: (events) => {
          const answer = answers[tries.length];
          tries.push(events[0]?.message ?? "");
          return answer instanceof Error
            ? Promise.reject(answer)
            : Promise.resolve(answer);
        },
      },
      sent: (cursor) => {
        cursors.push(cursor);
        return Promise.resolve();
      },
      log: (line) => log.push(line),
      pause: { first: 1, longest: 4 },
      ...(signal ? { signal } : {}),
    });
  return { run, log, tries, cursors, taken: () => taken };
}

test("one after the other, each written down once it is there", async () => {
  const { run, tries, cursors, log } = world([]);
  await run();
  expect({ tries, cursors, log }).toEqual({
    tries: ["a", "b"],
    cursors: ["a", "b"],
    log: [],
  });
});

test("a failure is tried again and said once, and so is its end", async () => {
  const refused = new AggregateError([
    new Error("connect ECONNREFUSED 192.0.2.1:443"),
    new Error("connect ECONNREFUSED 2001:db8::1:443"),
  ]);
  const { run, tries, cursors, log } = world([
    ...[refused, refused, new Error("throttled"), refused, undefined],
  ]);
  await run();
  expect(tries).toEqual(["a", "a", "a", "a", "a", "b"]);
  expect(cursors).toEqual(["a", "b"]);
  const said =
    "not sent: connect ECONNREFUSED 192.0.2.1:443, connect ECONNREFUSED 2001:db8::1:443";
  expect(log).toEqual([said, "not sent: throttled", said, "sent again"]);
});

test("what is never taken does not stand in the way, and is said", async () => {
  const { run, cursors, log } = world(["rows older than 14 days"]);
  await run();
  expect(cursors).toEqual(["a", "b"]);
  expect(log).toEqual(["never taken: rows older than 14 days"]);
});

test("told to end while it fails, it ends, and takes nothing for sent", async () => {
  const stop = new AbortController();
  const away = Array.from({ length: 1_000 }, () => new Error("away"));
  const { run, cursors, taken } = world(away);
  setTimeout(() => {
    stop.abort();
  }, 20);
  await expect(run(stop.signal)).rejects.toThrow("aborted");
  expect(cursors).toEqual([]);
  expect(taken()).toBe(1);
});
