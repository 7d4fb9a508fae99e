/**
 * 10 000 malformed requests, from a seed that is printed: no 5xx of an edge's
 * own making, nothing of it at the application, no crash, memory flat.
 * MALFORMED_SEED=n makes the same requests again.
 *
 * @module-tag edge
 */
import { randomInt } from "node:crypto";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type EdgeHealth,
  crashPattern,
  healthOf,
  journalSince,
} from "./edge-health.ts";
import { answersOf } from "./fixtures/answers.ts";
import { http2AnswersOf } from "./fixtures/answers-http2.ts";
import { headers, preface, settings } from "./fixtures/malformed/frames.ts";
import { families, malformed } from "./fixtures/malformed/generate.ts";
import {
  type Result,
  judgeRecorded,
  named,
} from "./fixtures/malformed/judge.ts";
import type { Run } from "./fixtures/malformed/run.ts";
import type { Recorded } from "./fixtures/sandbox-recorder.ts";
import { type Target, accessHeader, hostOf } from "./fixtures/target.ts";
import { inLab } from "./lab.ts";
import { ownApplication } from "./own-sandbox.ts";
import { exchangeAll, roadTo } from "./targets.ts";

const seed = Number(process.env.MALFORMED_SEED ?? randomInt(2 ** 32));
const count = 10_000;
/** What fills every pool, cache and table that the rest uses again. */
const warmUp = 1_000;
const now = Date.now();
/** Milliseconds for an edge's 5 000 requests, on the busiest machine. */
const patience = 2_400_000;
const port = 3120;
const { targets, application: recorder } = await ownApplication(
  "sandbox-recorder.ts",
  port,
);
const share = count / targets.length;
/** An edge limits what one address may do; these are on the lab's bridge. */
const addresses = Array.from(
  { length: 100 },
  (_, index) => `198.18.0.${String(100 + index)}`,
);

beforeAll(async () => {
  console.log(`MALFORMED_SEED=${String(seed)}`);
  await onBridge("add");
});

afterAll(async () => {
  await onBridge("delete");
});

describe.each(targets.map((target, index) => ({ target, index })))(
  "$target.machine",
  ({ target, index }) => {
    const first = index * share;
    const results: Result[] = [];
    let before: EdgeHealth;
    let warm: EdgeHealth;

    beforeAll(async () => {
      await recorder.control("DELETE");
      before = await healthOf(target.machine);
      results.push(...(await send(target, first, first + warmUp)));
      warm = await healthOf(target.machine);
      results.push(...(await send(target, first + warmUp, first + share)));
    }, patience);

    test("all are sent, and every family and every kind of end is among them", () => {
      expect(results).toHaveLength(share);
      expect(new Set(results.map(({ family }) => family))).toEqual(
        new Set(families),
      );
      const outcomes = new Set(results.flatMap(({ outcome }) => outcome));
      const wanted = ["200", "400 bare", "404 unknown_host", "closed"];
      if (target.key) wanted.push("401 token_missing", "401 token_invalid");
      expect([...outcomes]).toEqual(expect.arrayContaining(wanted));
      const limited = results.filter(({ outcome }) =>
        outcome.some((one) => one.startsWith("429")),
      );
      expect(limited.map(named)).toEqual([]);
    });

    test("the client never sees an error of the edge's own, nor what it must not", () => {
      const faults = results.filter(({ fault }) => fault !== undefined);
      expect(
        faults.map(
          (one) =>
            `${named(one)}: ${String(one.fault)}: ${one.outcome.join(", ")}`,
        ),
      ).toEqual([]);
    });

    test("the application sees nothing malformed, nothing refused", async () => {
      const recorded = JSON.parse(await recorder.control("GET")) as Recorded[];
      expect(recorded.length).toBeGreaterThan(share / 50);
      const cases = new Map(
        results.map(({ number }) => [
          number,
          malformed(seed, number, target, now),
        ]),
      );
      const byNumber = new Map(results.map((one) => [one.number, one]));
      expect(judgeRecorded(cases, byNumber, recorded)).toEqual([]);
    });

    test("the log says no more than that", async () => {
      const lines = await journalSince(target.machine, before.now);
      expect(lines.filter((line) => crashPattern.test(line))).toEqual([]);
      const rows = lines
        .filter((line) => line.startsWith("{"))
        .map((line) => JSON.parse(line) as Record<string, unknown>);
      expect(rows.length).toBeGreaterThan(share / 4);
      const own = rows.filter(
        // "--" is an answer of the application, "C…" the client's own end.
        ({ status, end, error, port: asked }) =>
          Number(status) >= 500 &&
          !/^(--|C)/.test(String(end)) &&
          // Also logged when the client leaves in the middle of the look-up;
          // whether one got it as its answer is the test above.
          error !== "sandbox_unreachable" &&
          // The client's own fault, as in the test above.
          error !== "protocol_unsupported" &&
          // A mutation of the port: nobody listens there.
          !(error === "sandbox_bad_answer" && asked !== String(port)),
      );
      expect(own).toEqual([]);
    });

    test("the edge is the same process, and serves", async () => {
      const after = await healthOf(target.machine);
      const { main, worker, restarts } = before;
      expect(after).toMatchObject({ main, worker, restarts });
      const access = accessHeader(target);
      const line = access ? `${access.join(": ")}\r\n` : "";
      const host = hostOf(target);
      const fields = [
        [":method", "GET"],
        [":scheme", "https"],
        [":authority", host],
        [":path", "/good"],
        ...(access ? [[access[0].toLowerCase(), access[1]] as const] : []),
      ] as const;
      const [one, two] = await exchangeAll([
        {
          road: roadTo(target, "http/1.1"),
          pieces: [
            Buffer.from(`GET /good HTTP/1.1\r\nHost: ${host}\r\n${line}\r\n`),
          ],
          pause: 0,
          ending: "end",
        },
        {
          road: roadTo(target, "h2"),
          pieces: [Buffer.concat([preface, settings(), headers(1, fields)])],
          pause: 0,
          ending: "answer",
        },
      ]);
      expect(answersOf(one?.received ?? Buffer.alloc(0))[0]?.status).toBe(200);
      const { answers } = http2AnswersOf(two?.received ?? Buffer.alloc(0));
      expect(answers.get(1)?.status).toBe(200);
    });

    test("its memory is flat, and no connection is left", async () => {
      // A client that ends in the middle of a body is waited for, for the
      // minute of bodySilenceSeconds; one that is forgotten lives for a day.
      await expect
        .poll(async () => (await healthOf(target.machine)).connections, {
          interval: 1_000,
        })
        .toBeLessThanOrEqual(before.connections + 5);
      const after = await healthOf(target.machine);
      // The counters of clients and sandboxes fill, and are bounded: at most
      // one kilobyte for each of the 4000 requests after the warm-up. A leak
      // of a request's buffer would be 17 times that.
      expect(after.memory - warm.memory).toBeLessThan(8 * 1024 * 1024);
    });
  },
);

async function send(
  target: Target,
  first: number,
  end: number,
): Promise<Result[]> {
  const run: Run = {
    target,
    seed,
    first,
    end,
    now,
    from: addresses,
    concurrency: 24,
  };
  const program = join(import.meta.dirname, "fixtures/malformed/run.ts");
  const { stdout, stderr } = await inLab([process.execPath, program], {
    input: JSON.stringify(run),
  });
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout) as Result[];
}

/** Adds addresses to the operator's side of the lab, or takes them away. */
async function onBridge(what: "add" | "delete"): Promise<void> {
  const input = addresses
    .map((address) => `address ${what} ${address}/24 dev lab\n`)
    .join("");
  const { exitCode, stderr } = await inLab(["ip", "-batch", "-"], { input });
  if (exitCode !== 0) throw new Error(stderr);
}
