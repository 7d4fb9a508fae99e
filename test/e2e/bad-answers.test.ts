/**
 * A sandbox's answers cannot harm the edge: an application that answers as
 * none should stands behind both. Its client gets the contract's error or an
 * answer cut off, everybody else their own answers, and the edge stays itself.
 *
 * @module-tag edge
 */
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, test } from "vitest";
import {
  type EdgeHealth,
  type Row,
  crashPattern,
  healthOf,
  journalSince,
} from "./edge-health.ts";
import { type Answer, answersOf, edgeError } from "./fixtures/answers.ts";
import { http2AnswersOf } from "./fixtures/answers-http2.ts";
import type { Answered } from "./fixtures/exchange.ts";
import {
  type Field,
  frame,
  frameType,
  headers,
  preface,
  settings,
} from "./fixtures/malformed/frames.ts";
import { type Target, accessHeader, hostOf } from "./fixtures/target.ts";
import { ownApplication } from "./own-sandbox.ts";
import { exchangeAll, exchangeGroups, roadTo } from "./targets.ts";

const port = 3110;
const { targets, application } = await ownApplication(
  "sandbox-misbehaver.ts",
  port,
);

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

/**
 * Behind an interim answer, what the edge puts its own answer in place of. A
 * final rule of HAProxy 3.0 that meets the interim answer in its buffer would
 * end the process.
 */
const afterInterim = {
  "status-000": { daytona: "bad", direct: "bad" },
  "empty-502": { daytona: "bad", direct: "502 " },
  login: { daytona: "401 token_missing", direct: "307 " },
  stopped: { daytona: "503 sandbox_unreachable", direct: "400" },
  gone: { daytona: "503 sandbox_unreachable", direct: "404" },
};
const interim = ["100", "102", "103"].flatMap((status) =>
  Object.entries(afterInterim).flatMap(([final, outcome]) =>
    ["", "-later"].map((packet) => ({
      name: `${status}-then-${final}${packet}`,
      ...outcome,
    })),
  ),
);

/**
 * HAProxy 3.0 takes the head of an answer that comes together with an interim
 * one for its end (haproxy/haproxy#3209, mended in later versions): what comes
 * of the body afterwards is lost. Daytona's proxies send a head at once, and
 * whether it catches up with the interim answer is up to the machine. So an
 * error's body may be missing below, and an HTTP/2 stream end with the head.
 */
const endedByInterim = ["continues", "hints"];

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
      const bodiless = protocol === "h2" ? "empty" : "cut";
      const isLost = endedByInterim.includes(name);
      expect([...allowed, readable, isLost ? bodiless : undefined]).toContain(
        got?.outcome,
      );
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

  describe.each(["http/1.1", "h2"] as const)("interim, %s", (protocol) => {
    test("an answer of the edge's own, behind an interim one", async () => {
      const rounds = Array.from({ length: 3 }, () => interim).flat();
      const answered = await exchangeGroups(
        rounds.map(({ name }) => [message(target, `/${name}`, protocol)]),
        8,
      );
      const outcomes = answered.map(([got], index) => {
        const outcome = got ? outcomeOf(got, protocol) : "not asked";
        return `${String(rounds[index]?.name)}: ${outcome.replace(/^(40[04]) .+/, "$1")}`;
      });
      const wanted = rounds.map(({ name, daytona, direct }, index) => {
        const isBodiless = /: 40[04] $/.test(outcomes[index] ?? "");
        if (isBodiless && !target.key) return `${name}: ${direct} `;
        return `${name}: ${target.key ? direct : daytona}`;
      });
      expect(outcomes).toEqual(wanted);
    });
  });

  test("clients that read nothing of an interim answer", async () => {
    // Where an HTTP/1.1 answer stops depends on what the sockets hold just then.
    const unread = [
      ...Array.from({ length: 8 }, () => "http/1.1" as const),
      "h2" as const,
    ];
    const answered = await exchangeGroups(
      unread.map((protocol) => [readingNothing(target, protocol)]),
      unread.length,
    );
    expect(answered.flat().map(({ connected }) => connected)).toEqual(
      unread.map(() => true),
    );
  });

  test("a POST that may go on, to a port where nobody listens", async () => {
    const nobody = { ...target, port: port + 7 };
    const lines = accessHeader(nobody)?.join(": ") ?? "X-None: of it";
    const dead = `POST / HTTP/1.1\r\nHost: ${hostOf(nobody)}\r\n${lines}\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc`;
    const answered = await exchangeGroups(
      Array.from({ length: 200 }, () => [
        {
          road: roadTo(target, "http/1.1"),
          pieces: [Buffer.from(dead)],
          pause: 0,
          ending: "end" as const,
        },
      ]),
      16,
    );
    const codes = answered.map(([got]) => {
      const answer = got && answersOf(got.received)[0];
      return answer && edgeError(answer);
    });
    const wanted = target.key ? "sandbox_unreachable" : "sandbox_bad_answer";
    expect(new Set(codes)).toEqual(new Set([wanted]));
  });

  test("interim answers have not ended the edge", async () => {
    const { main, worker, restarts } = before;
    expect(await healthOf(target.machine)).toMatchObject({
      ...{ main, worker, restarts },
    });
    // Whoever read nothing had an interim answer in the way of the edge's own.
    const inTheWay = async () => {
      const rows = (await journalSince(target.machine, before.now))
        .filter((line) => line.startsWith("{"))
        .map((line) => JSON.parse(line) as Row)
        .filter(({ path }) => path === "/large-hint")
        .filter(({ status, error }) => status === 502 && error === "");
      return [...new Set(rows.map(({ version }) => version))].toSorted();
    };
    await expect.poll(inTheWay).toEqual(["HTTP/1.1", "HTTP/2.0"]);
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
  const ping = frame(frameType.ping, 0, 0, Buffer.alloc(8));
  const asked = headers(1, fields(target, path, method));
  return {
    road,
    pieces: [Buffer.concat([preface, settings(), asked, ping])],
    pause: 0,
    ending: "answer" as const,
  };
}

function fields(target: Target, path: string, method: string): Field[] {
  const access = accessHeader(target);
  return [
    [":method", method],
    [":scheme", "https"],
    [":authority", hostOf(target)],
    [":path", path],
    ...(access ? [[access[0].toLowerCase(), access[1]] as const] : []),
  ];
}

/**
 * Asks for more on one connection than any socket holds, and reads nothing for
 * the minute that an edge waits for its client.
 */
function readingNothing(target: Target, protocol: "http/1.1" | "h2") {
  const path = "/large-hint";
  const one = message(target, path, protocol);
  const asked = Array.from({ length: 1_500 }, (_, index) =>
    protocol === "http/1.1"
      ? Buffer.concat(one.pieces)
      : headers(1 + 2 * index, fields(target, path, "GET")),
  );
  // No more streams at once than an edge takes.
  const pieces = Array.from({ length: 15 }, (_, index) =>
    Buffer.concat(asked.slice(100 * index, 100 * (index + 1))),
  );
  if (protocol === "h2") pieces.unshift(Buffer.concat([preface, settings()]));
  return {
    road: one.road,
    pieces,
    pause: 300,
    ending: "wait" as const,
    limit: 60_000,
    isUnread: true,
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
