/**
 * Request smuggling: an application that writes down every byte stands behind
 * both edges. Whatever is sent, it gets one request that nobody can misread,
 * or none; and the next client on the same upstream connection gets its own
 * answer.
 *
 * @module-tag edge
 */
import { beforeAll, describe, expect, test } from "vitest";
import { type Answer, answersOf } from "./fixtures/answers.ts";
import { http2AnswersOf } from "./fixtures/answers-http2.ts";
import type { Recorded } from "./fixtures/sandbox-recorder.ts";
import { pathOf, smugglingCases } from "./fixtures/smuggling-cases.ts";
import { type Target, accessHeader, hostOf } from "./fixtures/target.ts";
import { ownApplication } from "./own-sandbox.ts";
import { exchangeAll, roadTo } from "./targets.ts";

const port = 3100;
const { targets, application: recorder } = await ownApplication(
  "sandbox-recorder.ts",
  port,
);

const recorded = async () =>
  JSON.parse(await recorder.control("GET")) as Recorded[];

interface Result {
  readonly answers: readonly Answer[];
  /** What the application saw between this case and the honest request. */
  readonly seen: readonly Recorded[];
  /** The honest request's own answer. */
  readonly honest: Answer | undefined;
}

describe.each(targets)("$machine", (target) => {
  const cases = smugglingCases(target);
  const results: Result[] = [];

  beforeAll(async () => {
    await recorder.control("DELETE");
    const answered = await exchangeAll(
      cases.flatMap(({ bytes, protocol }, index) => [
        {
          road: roadTo(target, protocol),
          pieces: [bytes],
          pause: 0,
          ending: "end",
          // Without an answer by then it has none, which is allowed.
          limit: 5_000,
        },
        {
          road: roadTo(target, "http/1.1"),
          pieces: [request(target, `/honest/${String(index)}`)],
          pause: 0,
          ending: "end",
        },
      ]),
    );
    const all = await recorded();
    let at = 0;
    for (const [index, { protocol }] of cases.entries()) {
      const honestAt = all.findIndex(({ head }) =>
        head.startsWith(`GET /honest/${String(index)} `),
      );
      const bytes = answered[index * 2]?.received ?? Buffer.alloc(0);
      const http2 = () => [...http2AnswersOf(bytes).answers.values()];
      results.push({
        answers: protocol === "h2" ? http2() : answersOf(bytes),
        seen: honestAt === -1 ? all.slice(at) : all.slice(at, honestAt),
        honest: answersOf(answered[index * 2 + 1]?.received ?? bytes)[0],
      });
      if (honestAt !== -1) at = honestAt + 1;
    }
  });

  test.each(cases.map((one, index) => ({ ...one, index })))(
    "$name",
    ({ index, body }) => {
      const result = results[index];
      expect(result?.honest).toMatchObject({
        status: 200,
        body: expect.stringContaining(`"/honest/${String(index)}"`) as string,
      });
      const seen = result?.seen ?? [];
      expect(seen.flatMap(({ problems }) => problems)).toEqual([]);
      // What a streaming proxy passes on before it finds the fault has no end.
      const whole = seen.filter(({ complete }) => complete);
      if (whole.length === 0) refused(result?.answers ?? []);
      else {
        const got = whole.map(({ head, body }) => [head.split(" ")[1], body]);
        expect(got).toEqual([[pathOf(index), body]]);
      }
    },
  );

  test.each([
    "X-Forwarded-For, X-Real-IP",
    "close, X-Forwarded-For",
    "X-Forwarded-Proto",
    "X-Request-Id",
    "X-Sandbox-Token",
    "Host",
    "Content-Length",
    "Transfer-Encoding, chunked",
    "Cookie",
    "keep-alive, X-Real-IP, X-Daytona-Disable-CORS",
  ])("Connection cannot take a header away: %s", async (value) => {
    const seen = await passedOn(target, `Connection: ${value}\r\n`);
    expect(seen.size).toBeGreaterThan(0);
    expect(seen.get("connection") ?? "").toMatch(/^(|close|keep-alive)$/i);
    for (const name of ["host", "x-real-ip", "x-forwarded-for"]) {
      expect(seen.get(name), name).toBeDefined();
    }
  });

  test.each([
    [
      "h2c",
      "Upgrade, HTTP2-Settings",
      "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n",
    ],
    ["h2c, websocket", "Upgrade, HTTP2-Settings", ""],
    ["h2", "Upgrade", ""],
    ["TLS/1.2", "Upgrade", ""],
    ["HTTP/2.0", "upgrade", ""],
  ])(
    "no tunnel past the edge by Upgrade: %s",
    async (protocol, connection, more) => {
      const lines = `Upgrade: ${protocol}\r\nConnection: ${connection}\r\n${more}`;
      const seen = await passedOn(target, lines);
      expect(seen.get("upgrade") ?? "").not.toMatch(/h2|tls|http/i);
      expect(seen.has("http2-settings")).toBe(false);
    },
  );

  test.each([
    "X_Real_IP",
    "X-Real_IP",
    "X_Forwarded_For",
    "X-Forwarded_For",
    "X_Forwarded_Proto",
    "X_Forwarded_Host",
    "X_Request_Id",
    "X-Daytona_Skip-Last-Activity-Update",
    "X-Nightona-Authorization",
    "X_Nightona_Authorization",
    "X-Forwarded-For",
    "Forwarded",
  ])("%s does not pose as a header of the edge", async (name) => {
    const seen = await passedOn(target, `${name}: 6.6.6.6\r\n`);
    expect(seen.size).toBeGreaterThan(0);
    expect([...seen.values()].join("\n")).not.toContain("6.6.6.6");
  });
});

/**
 * The headers of a request with these lines, as the application gets it; none
 * when the edge itself refuses the request.
 */
async function passedOn(
  target: Target,
  lines: string,
): Promise<ReadonlyMap<string, string>> {
  const path = `/headers/${crypto.randomUUID()}`;
  const [answered] = await exchangeAll([
    {
      road: roadTo(target, "http/1.1"),
      pieces: [request(target, path, lines)],
      pause: 0,
      ending: "end",
    },
  ]);
  const one = (await recorded()).find(({ head }) => head.includes(path));
  if (!one) {
    const [answer] = answersOf(answered?.received ?? Buffer.alloc(0));
    expect(answer?.status).toBe(400);
    return new Map();
  }
  expect(one.problems).toEqual([]);
  const fields = one.head.split("\r\n").slice(1);
  return new Map(
    fields.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
}

/** Closed without an answer, or with one that says whose fault it is. */
function refused(answers: readonly Answer[]): void {
  const others = answers.filter(({ status }) => status < 400 || status >= 500);
  expect(others).toEqual([]);
}

function request(target: Target, path: string, lines = ""): Buffer {
  const access = accessHeader(target);
  const own = access ? `${access.join(": ")}\r\n` : "";
  return Buffer.from(
    `GET ${path} HTTP/1.1\r\nHost: ${hostOf(target)}\r\n${own}${lines}\r\n`,
    "latin1",
  );
}
