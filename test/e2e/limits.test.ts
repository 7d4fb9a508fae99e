/**
 * Limits for a client and for a sandbox, on an edge where they are low.
 *
 * @module-tag edge
 */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  FIRST_SANDBOX,
  SECOND_SANDBOX,
  SIGNED_DOMAIN,
  inLab,
  labCurl,
  signedOutputs,
} from "./lab.ts";
import { bootSpareEdge, removeSpareEdge, spareEdge } from "./spare-edge.ts";
import { type Key, claims, sign } from "./tokens.ts";

let key: Key;
/** Every test calls from addresses of its own. */
const clients = Array.from(
  { length: 20 },
  (_, i) => `198.18.0.${String(60 + i)}`,
);
const clients6 = [
  "2001:db8:1918:1::1",
  "2001:db8:1918:1::2",
  "2001:db8:1918:2::1",
];
/** The one among them that the edge believes when it names another client. */
const balancer = "198.18.0.79";
const onBridge = (verb: "add" | "delete") =>
  inLab([
    "sh",
    "-c",
    [
      ...clients.map((address) => `ip address ${verb} ${address}/24 dev lab`),
      ...clients6.map((address) => `ip address ${verb} ${address}/128 dev lab`),
    ].join("; "),
  ]);

beforeAll(async () => {
  key = (await signedOutputs()).access.key;
  await onBridge("add");
  await bootSpareEdge(
    "signed",
    {
      limits: {
        client: {
          handshakesPerSecond: 3,
          connections: 20,
          requestsPerSecond: 10,
          concurrentRequests: 4,
          concurrentStreams: 2,
        },
        sandbox: {
          requestsPerSecond: 6,
          concurrentRequests: 6,
          concurrentStreams: 3,
        },
        headSeconds: 2,
        bodySilenceSeconds: 2,
        answerSeconds: 15,
        headFields: 50,
      },
    },
    { loadBalancers: [balancer] },
  );
});

afterAll(async () => {
  await removeSpareEdge();
  await onBridge("delete");
});

interface BurstOptions {
  readonly kind?: "request" | "stream" | "connection" | "plain";
  readonly from: string;
  readonly proxiedFor?: string;
  readonly to?: string;
  readonly count: number;
  readonly atATime?: number;
  readonly path?: string;
  readonly token?: boolean;
  readonly holdMs?: number;
  readonly fields?: Readonly<Record<string, string>>;
}

/** What became of many requests, by status. */
async function burst(options: BurstOptions) {
  const { kind = "request", from, to = FIRST_SANDBOX, path = "/" } = options;
  const scheme = kind === "stream" ? "wss" : "https";
  const argument = {
    kind,
    url: `${scheme}://${to}-3000.${SIGNED_DOMAIN}${path}`,
    local: from,
    edge: from.includes(":") ? spareEdge.ipv6 : spareEdge.ipv4,
    count: options.count,
    atATime: options.atATime ?? 1,
    headers: {
      ...options.fields,
      ...(options.token === false
        ? {}
        : { "X-Sandbox-Token": sign(key, claims(to)) }),
    },
    holdMs: options.holdMs ?? 0,
    proxiedFor: options.proxiedFor,
  };
  const { stdout, stderr } = await inLab([
    process.execPath,
    join(import.meta.dirname, "fixtures/burst.ts"),
    JSON.stringify(argument),
  ]);
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout) as Record<string, number | string>;
}
const client = (index: number) => clients[index] ?? "";
const client6 = (index: number) => clients6[index] ?? "";

test("requests of a client, also of one without a token", async () => {
  const strangers = await burst({ from: client(0), count: 120, token: false });
  expect(strangers).toMatchObject({ 401: 100, 429: 20, retryAfter: "10" });
  // The sandbox's own budget is untouched.
  expect(await burst({ from: client(1), count: 1 })).toMatchObject({ 200: 1 });
});

test("requests of an IPv6 client, by its /64", async () => {
  const first = { from: client6(0), count: 101, token: false };
  expect(await burst(first)).toMatchObject({ 401: 100, 429: 1 });
  const neighbour = { from: client6(1), count: 1, token: false };
  expect(await burst(neighbour)).toMatchObject({ 429: 1 });
  const other = { from: client6(2), count: 1, token: false };
  expect(await burst(other)).toMatchObject({ 401: 1 });
});

test("requests to a sandbox, and to no other", async () => {
  // One was let in by the test before.
  const counts = [
    await burst({ from: client(2), count: 40 }),
    await burst({ from: client(3), count: 40 }),
  ];
  const sum = (status: string) =>
    counts.reduce((all, one) => all + Number(one[status] ?? 0), 0);
  expect(sum("200")).toBeGreaterThanOrEqual(59);
  expect(sum("429")).toBeGreaterThanOrEqual(15);
  const elsewhere = { from: client(4), to: SECOND_SANDBOX, count: 1 };
  expect(await burst(elsewhere)).toMatchObject({ 200: 1 });
});

test("requests at a time, of a client and to a sandbox", async () => {
  const silent = {
    to: SECOND_SANDBOX,
    // As long as two of these programs may take to start.
    path: "/silent?seconds=10",
    count: 5,
    atATime: 5,
  };
  // Four for each client, and six for the sandbox.
  expect(await burst({ ...silent, from: client(15) })).toMatchObject({
    200: 4,
    429: 1,
  });
  const [one, two] = await Promise.all([
    burst({ ...silent, from: client(5) }),
    burst({ ...silent, from: client(6) }),
  ]);
  expect(Number(one["200"]) + Number(two["200"])).toBe(6);
});

test("streams at a time, of a client and to a sandbox", async () => {
  const streams = {
    kind: "stream",
    to: SECOND_SANDBOX,
    path: "/ws",
    count: 3,
    holdMs: 12_000,
  } as const;
  const held = burst({ ...streams, from: client(7) });
  await sleep(6_000);
  const late = await burst({ ...streams, from: client(8), holdMs: 0 });
  expect(await held).toMatchObject({ 101: 2, 429: 1, retryAfter: "10" });
  expect(late).toMatchObject({ 101: 1, 429: 2 });
});

test.each([
  ["an event stream", { Accept: "text/event-stream" }],
  ["a gRPC call", { "Content-Type": "application/grpc" }],
])("%s counts as a stream", async (kind, fields) => {
  const counts = await burst({
    from: client(kind === "a gRPC call" ? 16 : 17),
    to: SECOND_SANDBOX,
    path: "/silent?seconds=6",
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
  });
  expect(counts).toMatchObject({ open: 20, closed: 5 });
});

test("neither waits for a TLS handshake that never comes", async () => {
  const silent = { kind: "plain", count: 25, atATime: 25 } as const;
  expect(await burst({ ...silent, from: client(12) })).toMatchObject({
    open: 20,
    closed: 5,
  });
  const many = { kind: "plain", count: 40, atATime: 10 } as const;
  const counts = await burst({ ...many, from: client(13) });
  expect(Number(counts.closed)).toBeGreaterThanOrEqual(10);
});

test("behind a balancer, those of the client that it names", async () => {
  const from = { kind: "connection", from: balancer } as const;
  const [one, two] = await Promise.all(
    ["203.0.113.61", "203.0.113.62"].map((proxiedFor) =>
      burst({ ...from, proxiedFor, count: 25, atATime: 25 }),
    ),
  );
  expect(one).toMatchObject({ open: 20, closed: 5 });
  expect(two).toMatchObject({ open: 20, closed: 5 });
  const many = { ...from, proxiedFor: "203.0.113.63", count: 40, atATime: 10 };
  expect(Number((await burst(many)).open)).toBeLessThanOrEqual(30);
  // Whoever is no balancer is not believed.
  const stranger = { ...from, from: client(14), proxiedFor: "203.0.113.64" };
  expect(await burst({ ...stranger, count: 1 })).toMatchObject({ closed: 1 });
});

test("on port 80 too a balancer names the client", async () => {
  const { stdout } = await labCurl([
    ...["-o", "/dev/null", "-w", "%{http_code}", "--interface", balancer],
    "--haproxy-protocol",
    ...["--resolve", `*:80:${spareEdge.ipv4}`],
    `http://${SECOND_SANDBOX}-3000.${SIGNED_DOMAIN}/`,
  ]);
  expect(stdout).toBe("308");
});

/** What comes back, and after how many milliseconds, for a request that stops in the middle. */
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
     setTimeout(() => { console.log(JSON.stringify({ms: Infinity, got})); process.exit(); }, 60000);`,
    JSON.stringify(text),
  ]);
  return JSON.parse(stdout) as { ms: number; got: string };
}

test("a request head that does not end", async () => {
  const { ms } = await halfRequest("GET / HTTP/1.1\r\nHost: x\r\n");
  expect(ms).toBeGreaterThan(1_000);
  expect(ms).toBeLessThan(60_000);
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
  expect(ms).toBeGreaterThan(1_000);
  expect(ms).toBeLessThan(60_000);
  expect(got).not.toContain("200 OK");
});

const ask = async (args: string[]) => {
  const { stdout } = await labCurl([
    ...["-w", "\n%{http_code}", "--interface", client(12)],
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
