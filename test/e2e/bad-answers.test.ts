/**
 * A sandbox's answers cannot harm the edge: an application that answers as
 * none should stands behind both. Its client gets the contract's error or an
 * answer cut off, everybody else their own answers, and the edge stays itself.
 *
 * @module-tag edge
 */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type EdgeHealth,
  crashPattern,
  healthOf,
  journalSince,
} from "./edge-health.ts";
import { type Answer, answersOf, edgeError } from "./fixtures/answers.ts";
import { http2AnswersOf } from "./fixtures/answers-http2.ts";
import type { Answered } from "./fixtures/exchange.ts";
import {
  frame,
  frameType,
  headers,
  preface,
  settings,
} from "./fixtures/malformed/frames.ts";
import { type Target, accessHeader, hostOf } from "./fixtures/target.ts";
import { addSandbox, removeSandbox } from "./own-sandbox.ts";
import { type SandboxServer, startInSandbox } from "./sandbox-server.ts";
import { edgesFor, exchangeAll, exchangeGroups, roadTo } from "./targets.ts";

const port = 3110;
const sandbox = await addSandbox();
const targets = await edgesFor(sandbox, port);
let application: SandboxServer;

beforeAll(async () => {
  application = await startInSandbox(sandbox, "sandbox-misbehaver.ts", port);
});

afterAll(async () => {
  await removeSandbox(sandbox);
});

/**
 * What the client may get. "bad": 502 sandbox_bad_answer. "cut": the head, and
 * then the connection breaks off before the end. "hello": the honest part of
 * the answer and nothing of the rest. "silent": no answer while it waits.
 * "dropped": no answer, and the connection or the stream is closed: what
 * HAProxy does when an application hangs up on a connection that was kept, for
 * then a client asks again.
 */
type Outcome = "bad" | "cut" | "hello" | "empty" | "silent" | "dropped";

const expected: Record<string, readonly Outcome[]> = {
  "huge-line": ["bad"],
  "thousand-headers": ["bad"],
  "endless-head": ["bad"],
  "endless-line": ["bad"],
  "slow-head": ["silent"],
  "status-letters": ["bad"],
  "status-two-digits": ["bad"],
  "status-four-digits": ["bad"],
  "status-000": ["bad"],
  "status-negative": ["bad"],
  "no-status": ["bad"],
  "version-9": ["bad", "empty"],
  "version-words": ["bad"],
  "no-head": ["bad"],
  "header-without-colon": ["bad"],
  "header-with-space": ["bad"],
  "header-empty-name": ["bad"],
  "header-nul": ["bad"],
  "header-cr": ["bad"],
  "header-folded": ["bad", "empty"],
  "half-a-head": ["bad"],
  http2: ["bad"],
  "tls-alert": ["bad"],
  ssh: ["bad"],
  garbage: ["bad"],
  nothing: ["bad", "dropped"],
  reset: ["bad", "dropped"],
  "length-short": ["hello", "cut"],
  "length-long": ["cut"],
  "length-twice": ["bad"],
  "length-negative": ["bad"],
  "length-words": ["bad"],
  "length-huge": ["bad"],
  "length-and-chunked": ["bad", "hello"],
  "encoding-unknown": ["bad", "hello"],
  "chunk-negative": ["bad", "cut"],
  "chunk-overflow": ["bad", "cut"],
  "chunk-garbage": ["bad", "cut"],
  "chunk-unended": ["cut"],
  "chunk-too-long": ["bad", "cut"],
  "endless-extension": ["bad", "cut", "silent"],
  "endless-trailers": ["bad", "cut", "silent"],
  "reset-in-body": ["cut"],
  "body-of-204": ["empty"],
  "body-of-304": ["empty"],
  "two-answers": ["hello", "cut"],
  "second-answer-later": ["hello", "cut"],
  continues: ["bad", "hello"],
  "endless-continue": ["bad", "cut", "silent"],
  hints: ["bad", "hello"],
  "unasked-101": ["bad"],
  "unasked-101-h2c": ["bad"],
};

/**
 * More follows behind these answers. The edge closes a connection on which an
 * answer comes that nobody awaits; a client that takes the connection before the
 * edge has seen it gets that answer, which HTTP/1 cannot tell from its own, and
 * which the application could have given in the first place. So each of these
 * is asked for alone, and the next client comes a moment later.
 */
const withMoreBehind = [
  "length-short",
  "body-of-204",
  "body-of-304",
  "two-answers",
  "second-answer-later",
];

/** Daytona's proxies read this themselves, and make an answer of it. */
const readByDaytona: Record<string, Outcome> = { "thousand-headers": "empty" };

/** How long, in milliseconds, a client waits for what may never come. */
const patience = 1_500;

describe.each(targets)("$machine", (target) => {
  let before: EdgeHealth;

  beforeAll(async () => {
    // What a first round needs is not taken again by a second.
    await ask(target, "http/1.1");
    await ask(target, "h2");
    before = await healthOf(target.machine);
  });

  describe.each(["http/1.1", "h2"] as const)("%s", (protocol) => {
    const outcomes = new Map<string, { outcome: string; honest: unknown }>();

    beforeAll(async () => {
      for (const one of await ask(target, protocol)) {
        outcomes.set(one.name, one);
      }
    });

    test.each(Object.entries(expected))("%s: %s", (name, allowed) => {
      const got = outcomes.get(name);
      const readable = target.key ? undefined : readByDaytona[name];
      expect([...allowed, readable]).toContain(got?.outcome);
      // The next client, perhaps on the same connection to the sandbox.
      expect(got?.honest).toMatchObject({ status: 200, body: `ok ${name}` });
    });
  });

  test("an answer that never comes is waited for by its client alone", async () => {
    const slow = exchangeAll(
      ["slow-head", "endless-continue", "endless-head"].flatMap((name) =>
        Array.from({ length: 10 }, () => ({
          ...message(target, `/${name}`, "http/1.1"),
          limit: 1_000,
        })),
      ),
    );
    const others = await exchangeAll(
      Array.from({ length: 100 }, (_, index) =>
        message(target, `/ok/${String(index)}`, "http/1.1"),
      ),
    );
    const bodies = others.map(({ received }) => answersOf(received)[0]?.body);
    expect(bodies).toEqual(bodies.map((_, index) => `ok ${String(index)}`));
    await slow;
  });

  test("a request that may have been acted on is not sent again", async () => {
    const path = `/nothing/${crypto.randomUUID()}`;
    const [got] = await exchangeAll([
      message(target, path, "http/1.1", "POST"),
    ]);
    const asked = async () => {
      const counts = await application.control("GET");
      return (JSON.parse(counts) as Record<string, number>)[path];
    };
    await expect.poll(asked, { message: String(got?.received) }).toBe(1);
  });

  test("afterwards the edge is the same process and no larger", async () => {
    const after = await healthOf(target.machine);
    expect(after).toMatchObject({
      main: before.main,
      worker: before.worker,
      restarts: before.restarts,
    });
    const journal = await journalSince(target.machine, before.now);
    expect(journal.filter((line) => !line.startsWith("{"))).toEqual([]);
    expect(journal.filter((line) => crashPattern.test(line))).toEqual([]);
    // The first round had every buffer that the second one needs. What an
    // application still sends for ever may hold some until it is closed.
    await expect
      .poll(async () => (await healthOf(target.machine)).memory - before.memory)
      .toBeLessThan(2 * 1024 * 1024);
  });
});

// Daytona's proxy asks again by itself where it sees fit.
test.each(["GET", "HEAD", "OPTIONS"])(
  "straight to a sandbox, a request that only reads is sent again: %s",
  async (method) => {
    const direct = targets.find(({ key }) => key);
    if (!direct) throw new Error("The lab has no edge with upstream direct");
    const path = `/nothing/${crypto.randomUUID()}`;
    await exchangeAll([message(direct, path, "http/1.1", method)]);
    const asked = JSON.parse(await application.control("GET")) as Record<
      string,
      number
    >;
    expect(asked[path]).toBeGreaterThan(1);
  },
);

/** Asks for each behaviour, and after each for something honest. */
/** Asks for each answer, and then, as the next client, for an honest one. */
async function ask(target: Target, protocol: "http/1.1" | "h2") {
  const pairs = Object.entries(expected).map(([name, allowed]) => ({
    name,
    bad: {
      ...message(target, `/${name}`, protocol),
      ...(allowed.includes("silent") ? { limit: patience } : {}),
    },
    honest: message(target, `/ok/${name}`, "http/1.1"),
  }));
  const isAlone = ({ name }: { name: string }) => withMoreBehind.includes(name);
  const others = pairs.filter((pair) => !isAlone(pair));
  const answered = await exchangeGroups(
    others.map(({ bad, honest }) => [bad, honest]),
    8,
  );
  const outcomes = others.map(({ name }, index) =>
    outcomeAndNext(name, answered[index] ?? [], protocol),
  );
  for (const { name, bad, honest } of pairs.filter(isAlone)) {
    const first = await exchangeAll([bad]);
    await sleep(500);
    const next = await exchangeAll([honest]);
    outcomes.push(outcomeAndNext(name, [...first, ...next], protocol));
  }
  return outcomes;
}

function outcomeAndNext(
  name: string,
  [bad, next]: readonly Answered[],
  protocol: "http/1.1" | "h2",
) {
  return {
    name,
    outcome: bad ? outcomeOf(bad, protocol) : "not asked",
    honest: next ? answersOf(next.received)[0] : undefined,
  };
}

function message(
  target: Target,
  path: string,
  protocol: "http/1.1" | "h2",
  method = "GET",
) {
  const road = roadTo(target, protocol);
  const access = accessHeader(target);
  if (protocol === "http/1.1") {
    const lines = access ? `${access.join(": ")}\r\n` : "";
    const length = method === "POST" ? "Content-Length: 0\r\n" : "";
    const text = `${method} ${path} HTTP/1.1\r\nHost: ${hostOf(target)}\r\n${lines}${length}\r\n`;
    return {
      road,
      pieces: [Buffer.from(text)],
      pause: 0,
      ending: "end" as const,
    };
  }
  const fields = [
    [":method", method],
    [":scheme", "https"],
    [":authority", hostOf(target)],
    [":path", path],
    ...(access ? [[access[0].toLowerCase(), access[1]] as const] : []),
  ] as const;
  const ping = frame(frameType.ping, 0, 0, Buffer.alloc(8));
  return {
    road,
    pieces: [Buffer.concat([preface, settings(), headers(1, fields), ping])],
    pause: 0,
    ending: "answer" as const,
  };
}

function outcomeOf(answered: Answered, protocol: "http/1.1" | "h2"): string {
  const { received, ended } = answered;
  if (protocol === "h2") {
    const { answers, ended: whole, resets } = http2AnswersOf(received);
    const answer = answers.get(1);
    if (answer) return named(answer, whole.has(1));
    return resets.has(1) ? "dropped" : "silent";
  }
  const all = answersOf(received);
  const [answer] = all;
  if (!answer) return ended === "limit" ? "silent" : "dropped";
  if (all.length > 1) return `${String(all.length)} answers`;
  return named(answer, isWhole(answer));
}

function isWhole({ headers, body }: Answer): boolean {
  const length = headers.get("content-length");
  if (length !== undefined) return body.length === Number(length);
  return (
    headers.get("transfer-encoding") === undefined || body.endsWith("0\r\n\r\n")
  );
}

function named(answer: Answer, isWhole: boolean): string {
  const { status, body } = answer;
  const code = edgeError(answer);
  if (status === 502 && code === "sandbox_bad_answer") return "bad";
  if (code !== undefined) return `${String(status)} ${code}`;
  if (body.includes("poison")) return "poison";
  if (status === 204 || status === 304) return "empty";
  if (status !== 200) return `${String(status)} ${body}`;
  if (!isWhole) return "cut";
  return body === "" || body === "0\r\n\r\n" ? "empty" : "hello";
}
