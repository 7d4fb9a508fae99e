/**
 * Limits for a client and for a sandbox, on an edge where they are low.
 *
 * @module-tag edge
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  SECOND_SANDBOX,
  SIGNED_DOMAIN,
  inLab,
  labCurl,
  signedOutputs,
} from "./lab.ts";
import { type BurstOptions, bursts, onBridge } from "./bursts.ts";
import type { Counts } from "./fixtures/burst.ts";
import { type Listener, startListener } from "./sandbox-listener.ts";
import { bootSpareEdge, removeSpareEdge, spareEdge } from "./spare-edge.ts";
import { type Key, claims, sign } from "./tokens.ts";

let key: Key;
/** Takes connections, and answers none. */
const silentPort = 3992;
let silentListener: Listener | undefined;
/** Every test calls from addresses of its own. */
const clients = Array.from(
  { length: 30 },
  (_, i) => `198.18.0.${String(60 + i)}`,
);
const clients6 = [
  "2001:db8:1918:1::1",
  "2001:db8:1918:1::2",
  "2001:db8:1918:2::1",
];

beforeAll(async () => {
  key = (await signedOutputs()).access.key;
  silentListener = await startListener(
    SECOND_SANDBOX,
    "silent",
    `require("node:net").createServer((socket) => socket.resume().on("error", () => undefined))
       .listen(${String(silentPort)}, () => console.log("ready"));`,
  );
  await onBridge("add", [...clients, ...clients6]);
  await bootSpareEdge("signed", {
    limits: {
      client: {
        handshakesPerSecond: 3,
        connections: 20,
        // A burst has to go beyond these within ten seconds, on any machine.
        requestsPerSecond: 4,
        concurrentRequests: 4,
        concurrentStreams: 2,
      },
      // Three clients' connections.
      plainConnections: 60,
      sandbox: {
        requestsPerSecond: 3,
        concurrentRequests: 6,
        concurrentStreams: 3,
      },
      headSeconds: 2,
      bodySilenceSeconds: 2,
      answerSeconds: 15,
      headFields: 50,
    },
  });
});

afterAll(async () => {
  await removeSpareEdge();
  await onBridge("delete", [...clients, ...clients6]);
  await silentListener?.stop();
});

async function burst(options: BurstOptions): Promise<Counts> {
  const [[counts = {}] = []] = await bursts(key, [options]);
  return counts;
}
const client = (index: number) => clients[index] ?? "";
const client6 = (index: number) => clients6[index] ?? "";

test("requests of a client, also of one without a token", async () => {
  const strangers = await burst({ from: client(0), count: 50, token: false });
  expect(strangers).toMatchObject({ 401: 40, 429: 10, retryAfter: "10" });
  // The sandbox's own budget is untouched.
  expect(await burst({ from: client(1), count: 1 })).toMatchObject({ 200: 1 });
});

test("requests of an IPv6 client, by its /64", async () => {
  const counts = await bursts(
    key,
    [{ from: client6(0), count: 41, token: false }],
    [{ from: client6(1), count: 1, token: false }],
    [{ from: client6(2), count: 1, token: false }],
  );
  const [[first] = [], [neighbour] = [], [other] = []] = counts;
  expect(first).toMatchObject({ 401: 40, 429: 1 });
  expect(neighbour).toMatchObject({ 429: 1 });
  expect(other).toMatchObject({ 401: 1 });
});

test("requests to a sandbox, and to no other", async () => {
  const [counts = [], [elsewhere] = []] = await bursts(
    key,
    [
      { from: client(2), count: 20 },
      { from: client(3), count: 20 },
    ],
    [{ from: client(4), to: SECOND_SANDBOX, count: 1 }],
  );
  const sum = (status: string) =>
    counts.reduce((all, one) => all + Number(one[status] ?? 0), 0);
  // One may have been let in by the first test just before.
  expect(sum("200")).toBeGreaterThanOrEqual(29);
  expect(sum("429")).toBeGreaterThanOrEqual(5);
  expect(elsewhere).toMatchObject({ 200: 1 });
});

test("requests at a time, of a client and to a sandbox", async () => {
  const silent = {
    to: SECOND_SANDBOX,
    // Longer than it takes to send all of them, and less than answerSeconds.
    path: "/silent?seconds=8",
    count: 5,
    atATime: 5,
  };
  // Four for each client, and six for the sandbox.
  expect(await burst({ ...silent, from: client(15) })).toMatchObject({
    200: 4,
    429: 1,
  });
  const [[one, two] = []] = await bursts(key, [
    { ...silent, from: client(5) },
    { ...silent, from: client(6) },
  ]);
  expect(Number(one?.["200"]) + Number(two?.["200"])).toBe(6);
});

test("streams at a time, of a client and to a sandbox", async () => {
  const streams = {
    kind: "stream",
    to: SECOND_SANDBOX,
    path: "/ws",
    count: 3,
  } as const;
  const [[held] = [], [late] = []] = await bursts(
    key,
    [{ ...streams, from: client(7) }],
    [{ ...streams, from: client(8) }],
  );
  expect(held).toMatchObject({ 101: 2, 429: 1, retryAfter: "10" });
  expect(late).toMatchObject({ 101: 1, 429: 2 });
});

test.each([
  ["an event stream", { Accept: "text/event-stream" }],
  ["a gRPC call", { "Content-Type": "application/grpc" }],
])("%s counts as a stream", async (kind, fields) => {
  const counts = await burst({
    from: client(kind === "a gRPC call" ? 16 : 17),
    to: SECOND_SANDBOX,
    // Until answerSeconds have passed.
    port: silentPort,
    count: 3,
    atATime: 3,
    fields,
  });
  expect(counts).toMatchObject({ 429: 1 });
});

test("new TLS connections of a client", async () => {
  const counts = await burst({
    kind: "connection",
    from: client(9),
    count: 40,
    atATime: 10,
  });
  expect(counts).toMatchObject({ closed: expect.any(Number) as number });
  expect(Number(counts.open)).toBeLessThanOrEqual(30);
});

test("open connections of a client", async () => {
  const counts = await burst({
    kind: "connection",
    from: client(10),
    count: 25,
    atATime: 25,
    hold: true,
  });
  expect(counts).toMatchObject({ open: 20, closed: 5 });
});

test("neither waits for a TLS handshake that never comes", async () => {
  const silent = { kind: "plain", count: 25, atATime: 25, hold: true } as const;
  expect(await burst({ ...silent, from: client(12) })).toMatchObject({
    open: 20,
    closed: 5,
  });
  // More new ones than the thirty that a client may have, each closed at once;
  // later ones are refused, although few are open.
  const from = { kind: "plain", from: client(13), atATime: 10 } as const;
  const [[used] = [], [later] = []] = await bursts(
    key,
    [{ ...from, count: 45 }],
    [{ ...from, count: 10, hold: true }],
  );
  expect(used?.connected).toBeGreaterThanOrEqual(30);
  expect(later).toEqual({ closed: 10 });
});

test("port 80 has the limits of a client too", async () => {
  const plain = { plain: true, token: false } as const;
  expect(await burst({ ...plain, from: client(19), count: 50 })).toMatchObject({
    308: 40,
    429: 10,
    retryAfter: "10",
  });
  const kept = { ...plain, kind: "connection", atATime: 25 } as const;
  const [[held] = [], [used, secured] = []] = await bursts(
    key,
    [{ ...kept, from: client(20), count: 25, hold: true }],
    [
      { ...kept, from: client(21), count: 100, atATime: 10 },
      // What it has open there counts on port 443.
      { kind: "connection", from: client(20), count: 1 },
    ],
  );
  expect(held).toMatchObject({ open: 20, closed: 5 });
  // Thirty, and as the rate slides, on a busy machine some more meanwhile.
  expect(Number(used?.open)).toBeLessThanOrEqual(
    30 + 3 * Number(used?.seconds),
  );
  expect(secured).toMatchObject({ closed: 1 });
});

test("all clients of port 80 together leave port 443 its connections", async () => {
  const kept = { plain: true, token: false, kind: "connection" } as const;
  const [greedy = [], [late] = [], [other] = []] = await bursts(
    key,
    [22, 23, 24].map((index) => ({
      ...{ ...kept, from: client(index), hold: true },
      ...{ count: 20, atATime: 20 },
    })),
    [{ ...kept, from: client(25), count: 1 }],
    [{ kind: "connection", from: client(25), count: 10 }],
  );
  expect(greedy).toMatchObject([{ open: 20 }, { open: 20 }, { open: 20 }]);
  // It waits in the kernel.
  expect(late).toMatchObject({ silent: 1 });
  expect(other).toMatchObject({ open: 10 });
});

/**
 * What comes back until the edge closes, and after how many milliseconds it
 * does, for a request that stops in the middle.
 */
async function halfRequest(text: string) {
  const { stdout } = await inLab([
    process.execPath,
    "-e",
    `const socket = require("tls").connect({host: "${spareEdge.ipv4}", port: 443, localAddress: "${client(11)}", servername: "x.${SIGNED_DOMAIN}"});
     const start = Date.now(); let got = "";
     socket.on("secureConnect", () => socket.write(JSON.parse(process.argv[1])));
     socket.on("data", (data) => { got += data; });
     socket.on("error", () => {});
     socket.on("close", () => { console.log(JSON.stringify({ms: Date.now() - start, got})); process.exit(); });
     setTimeout(() => { console.log(JSON.stringify({ms: null, got})); process.exit(); }, 240000);`,
    JSON.stringify(text),
  ]);
  return JSON.parse(stdout) as { ms: number | null; got: string };
}

test("a request head that does not end", async () => {
  const { ms, got } = await halfRequest("GET / HTTP/1.1\r\nHost: x\r\n");
  // It was the edge that closed, and not at once.
  expect(ms).toBeGreaterThan(1_000);
  expect(got).toMatch(/^HTTP\/1\.1 408 /);
});

test("a body that does not go on", async () => {
  const { ms, got } = await halfRequest(
    [
      "POST /upload HTTP/1.1",
      `Host: ${SECOND_SANDBOX}-3000.${SIGNED_DOMAIN}`,
      `X-Sandbox-Token: ${sign(key, claims(SECOND_SANDBOX))}`,
      "Content-Length: 100",
      "",
      "x",
    ].join("\r\n"),
  );
  // It was the edge that closed, and not at once.
  expect(ms).toBeGreaterThan(1_000);
  expect(got).not.toContain("200 OK");
});

const ask = async (args: string[]) => {
  const { stdout } = await labCurl([
    ...["-w", "\n%{http_code}", "--interface", client(18)],
    ...["--resolve", `*:443:${spareEdge.ipv4}`],
    ...args,
  ]);
  return stdout;
};

test("a head with too many fields, or too large", async () => {
  const url = `https://${SECOND_SANDBOX}-3000.${SIGNED_DOMAIN}/`;
  const fields = Array.from({ length: 60 }, (_, i) => [
    "-H",
    `X-${String(i)}: x`,
  ]).flat();
  expect(await ask(["--http1.1", ...fields, url])).toMatch(/400$/);
  const large = ["-H", `X-Large: ${"x".repeat(20_000)}`];
  expect(await ask(["--http1.1", ...large, url])).toMatch(/400$/);
});

test("one that has begun may be silent for longer", async () => {
  const body = await ask([
    ...["-H", `X-Sandbox-Token: ${sign(key, claims(SECOND_SANDBOX))}`],
    `https://${SECOND_SANDBOX}-3000.${SIGNED_DOMAIN}/sse?interval=5000&count=2`,
  ]);
  expect(body).toContain('{"event":1}');
});

test("an application that hangs", async () => {
  const body = await ask([
    ...["-H", `X-Sandbox-Token: ${sign(key, claims(SECOND_SANDBOX))}`],
    `https://${SECOND_SANDBOX}-3000.${SIGNED_DOMAIN}/silent?seconds=30`,
  ]);
  expect(body).toMatch(/504$/);
  expect(body).toContain('"sandbox_timeout"');
});
