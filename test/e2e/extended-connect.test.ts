/**
 * WebSockets over HTTP/2 (extended CONNECT, RFC 8441): what opens one, what only
 * looks like it, and that no other protocol gets through as one.
 *
 * @module-tag edge
 */
import { describe, expect, test } from "vitest";
import { rowOf } from "./edge-health.ts";
import { answersOf, edgeError } from "./fixtures/answers.ts";
import { http2AnswersOf } from "./fixtures/answers-http2.ts";
import {
  data,
  headers,
  preface,
  settings,
} from "./fixtures/malformed/frames.ts";
import { type Target, accessHeader, hostOf } from "./fixtures/target.ts";
import { ownApplication } from "./own-sandbox.ts";
import { exchangeAll, roadTo } from "./targets.ts";

/** Where an application answers each upgrade with 200 and goes on in HTTP. */
const port = 3120;
const { targets, application } = await ownApplication(
  "sandbox-misbehaver.ts",
  port,
);

describe.each(targets)("$machine", (target) => {
  // The lab's own application, which has a WebSocket.
  const webSockets = { ...target, port: 3000 };

  test("a WebSocket is open at its 200", async () => {
    const { answer, isEnded } = await connect(webSockets, "websocket", "/ws");
    expect(answer).toMatchObject({ status: 200, body: "" });
    expect(isEnded).toBe(false);
  });

  test.each(["/ok/page", "/103-then-ok"])(
    "an answer that is none is 502 and not open: %s",
    async (path) => {
      const begun = Date.now();
      const { answer, isEnded } = await connect(target, "websocket", path);
      expect(answer?.status).toBe(502);
      expect(isEnded).toBe(true);
      const row = await rowOf(target.machine, begun, { path });
      expect(row).toMatchObject({ status: 502, error: "sandbox_bad_answer" });
    },
  );

  test("an error of the application is its own", async () => {
    const { answer } = await connect(webSockets, "websocket", "/nowhere");
    expect(answer?.status).toBe(400);
  });

  test.each(["connect-udp", "webtransport", "websocket, foo"])(
    "another protocol is not supported: %s",
    async (protocol) => {
      const path = `/ok/${crypto.randomUUID()}`;
      const { answer } = await connect(target, protocol, path);
      expect(answer?.status).toBe(501);
      expect(answer && edgeError(answer)).toBe("protocol_unsupported");
      expect(await application.control("GET")).not.toContain(path);
    },
  );

  test("a client that sends before it is open is told as by the contract", async () => {
    const { answer } = await connect(target, "websocket", "/slow-head", [
      data(1, "too early", false),
    ]);
    expect(answer?.status).toBe(500);
    expect(answer && edgeError(answer)).toBe("internal_error");
  });

  test.each([
    ["Upgrade: websocket, foo"],
    ["Upgrade: foo", "Upgrade: websocket"],
  ])(
    "of a list the application sees WebSocket alone: %s %s",
    async (...lines) => {
      const text = [
        "GET /ws HTTP/1.1",
        `Host: ${hostOf(webSockets)}`,
        (accessHeader(webSockets) ?? ["X-None", "of it"]).join(": "),
        "Connection: upgrade",
        ...lines,
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "\r\n",
      ].join("\r\n");
      const [got] = await exchangeAll([
        {
          road: roadTo(webSockets, "http/1.1"),
          pieces: [Buffer.from(text)],
          pause: 0,
          ending: "stay",
        },
      ]);
      expect(got?.received.toString("latin1")).toMatch(/^HTTP\/1\.1 101 /);
      expect(got && answersOf(got.received)).toEqual([]);
    },
  );
});

/** Asks for a protocol by extended CONNECT, and waits for the end of its stream. */
async function connect(
  target: Target,
  protocol: string,
  path: string,
  more: readonly Buffer[] = [],
) {
  const access = accessHeader(target);
  const head = headers(
    1,
    [
      [":method", "CONNECT"],
      [":protocol", protocol],
      [":scheme", "https"],
      [":authority", hostOf(target)],
      [":path", path],
      ["sec-websocket-version", "13"],
      ...(access ? [[access[0].toLowerCase(), access[1]] as const] : []),
    ],
    false,
  );
  const [got] = await exchangeAll([
    {
      road: roadTo(target, "h2"),
      pieces: [Buffer.concat([preface, settings(), head, ...more])],
      pause: 0,
      ending: "answer",
      limit: 10_000,
    },
  ]);
  const { answers, ended } = http2AnswersOf(got?.received ?? Buffer.alloc(0));
  return { answer: answers.get(1), isEnded: ended.has(1) };
}
