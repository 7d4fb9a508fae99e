/**
 * The part of `npm run bench` that runs inside its container: starts the
 * contenders, loads them, and prints progress and, last, the results as JSON.
 * environment: BENCH_QUICK for short runs
 */
import { type ChildProcess, execFileSync, fork } from "node:child_process";
import { createHmac } from "node:crypto";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { decode, encode } from "dns-packet";
import { createSocket } from "node:dgram";
import * as places from "../../../infra/machine/places.ts";
import { alternate } from "../alternate.ts";
import { drive, isQuick, machine, say, startJournal } from "../driver.ts";
import { h2loadRate, logPercentile, median, wrkRate } from "../figures.ts";
import {
  load,
  loadCore,
  memory,
  proxyCore,
  start,
  stop,
} from "../processes.ts";
import type { Compared, Results } from "./results.ts";

const seconds = isQuick ? 2 : 6;
const pairs = isQuick ? 3 : 7;
const manyHosts = isQuick ? 10_000 : 100_000;
const domain = "sandbox.daytona.defikit.net";
const sandbox = "83792513-cd9e-428f-99c0-63c63bc7739c";
const host = `${sandbox}-3000.${domain}`;
const state = `${places.state}/edge`;
const secret = "benchbenchbenchbenchbenchbenchbenchbenchbenchben";
const token = sign(sandbox);

function sign(id: string): string {
  const part = (value: unknown) =>
    Buffer.from(JSON.stringify(value)).toString("base64url");
  const now = Math.floor(Date.now() / 1000);
  const text = `${part({ alg: "HS256", typ: "JWT", kid: "key-1" })}.${part({ sub: id, ports: 3000, iat: now, exp: now + 86_400, jti: "bench" })}`;
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}

/** The edge's files where they belong, with a certificate and keys at work. */
function layEdge(): Record<string, string> {
  cpSync("/bench/machine", "/", { recursive: true });
  mkdirSync(state, { recursive: true });
  mkdirSync(places.run("edge"), { recursive: true });
  mkdirSync("/path/to", { recursive: true });
  execFileSync("openssl", [
    ..."req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=bench".split(
      " ",
    ),
    ...["-addext", `subjectAltName=DNS:*.${domain},DNS:${domain}`],
    ...["-keyout", "/path/to/wildcard.key", "-out", "/path/to/wildcard.crt"],
  ]);
  const pem = ["crt", "key"].map((end) =>
    readFileSync(`/path/to/wildcard.${end}`, "utf8"),
  );
  writeFileSync(`${state}/certificate.pem`, pem.join(""));
  writeFileSync(
    `${places.run("edge")}/state.map`,
    "access live\ncertificate issued\nrevocations live\n",
  );
  writeFileSync(`${state}/access-keys.map`, `key-1 ${secret}\n`);
  // A list as a busy stack may have one.
  const revoked = Array.from(
    { length: 1_000 },
    (_, i) => `${String(i).padStart(8, "0")}-cd9e-428f-99c0-63c63bc7739c 1\n`,
  );
  writeFileSync(`${state}/revoked.map`, revoked.join(""));
  writeFileSync("/etc/hosts", `127.0.0.1 localhost ${host} ${sandbox}\n`);
  const env = readFileSync(`${places.etc("edge")}/env`, "utf8");
  return Object.fromEntries(
    env
      .split("\n")
      .filter((line) => line.includes("="))
      .map((line) => line.split("=", 2) as [string, string]),
  );
}

const startBare = () =>
  start(proxyCore, ["haproxy", "-f", "/bench/files/bare.cfg"], 8443);
const url = (port: number) => `https://${host}:${String(port)}/`;
const field = ["-H", `X-Sandbox-Token: ${token}`];

async function wrk(port: number): Promise<number> {
  return wrkRate(
    await load([
      ...["wrk", "-t1", "-c64", `-d${String(seconds)}s`, ...field, url(port)],
    ]),
  );
}

async function h2load(port: number): Promise<number> {
  return h2loadRate(
    await load([
      ...["h2load", "-t1", "-c16", "-m8", "-D", String(seconds)],
      ...[...field, url(port)],
    ]),
  );
}

/** Request times at a constant rate, 99th percentile, in milliseconds. */
async function timed(port: number, perSecond: number): Promise<number> {
  const clients = 32;
  const log = "/tmp/h2load.log";
  await load([
    ...["h2load", "-t1", `-c${String(clients)}`, "--h1"],
    ...["--rps", (perSecond / clients).toFixed(1), "-D", String(seconds)],
    ...["--log-file", log, ...field, url(port)],
  ]);
  const text = readFileSync(log, "utf8");
  writeFileSync(log, "");
  return logPercentile(text, 99);
}

/** Alternating runs of the edge and of bare HAProxy. */
async function compare(
  name: string,
  measure: (port: number) => Promise<number>,
): Promise<Compared & { differences: number[] }> {
  const ports = { edge: 443, bare: 8443 };
  const { edge, bare } = await alternate(
    ["edge", "bare"] as const,
    pairs,
    (contender, round) => {
      say(`${name}: pair ${String(round)} of ${String(pairs)}`);
      return measure(ports[contender]);
    },
  );
  console.error(`${name}: ${String(edge)} beside ${String(bare)}`);
  return {
    edge: median(edge),
    bare: median(bare),
    ratio: median(edge.map((figure, i) => figure / (bare[i] ?? 0))),
    differences: edge.map((figure, i) => figure - (bare[i] ?? 0)),
  };
}

/** Holds as many WebSockets as this computer lets one process have. */
async function idleWebSockets(edge: ChildProcess) {
  const limit = Number(execFileSync("sh", ["-c", "ulimit -Hn"]).toString());
  // Two files for each in the edge, and some for itself.
  const count = Math.min(10_000, Math.floor((limit - 400) / 2 / 100) * 100);
  say(`${String(count)} idle WebSockets`);
  const holder = fork("/bench/sockets.cjs", [host, token, String(count)], {
    execArgv: ["--max-old-space-size=4096"],
  });
  const opened = await new Promise<number>((resolve) => {
    holder.once("message", (message) => {
      resolve(Number(message));
    });
  });
  const bytes = memory(edge);
  holder.kill("SIGKILL");
  return { count: opened, bytes };
}

/** Asks for sandboxes that were never seen; each with a token of its own. */
async function distinctHosts(count: number, from: number): Promise<void> {
  const holder = fork("/bench/hosts.cjs", [
    ...[domain, secret, String(count), String(from)],
  ]);
  const [answered] = await new Promise<number[]>((resolve) => {
    holder.once("message", (message) => {
      resolve(message as number[]);
    });
  });
  if (answered !== count) {
    throw new Error(`${String(answered)} of ${String(count)} hosts answered`);
  }
}

async function contender(name: string, argv: string[]) {
  say(name);
  const proxy = await start(proxyCore, argv, 443, { GOMAXPROCS: "1" });
  const rates = [];
  for (let i = 0; i < Math.min(3, pairs); i++) rates.push(await wrk(443));
  const bytes = memory(proxy);
  await stop(proxy);
  return { rate: median(rates), bytes };
}

/** The names that the request's nginx example looks up. */
function startNames(): void {
  const socket = createSocket("udp4");
  socket.on("message", (message, client) => {
    const { id = 0, questions = [] } = decode(message);
    const name = questions[0]?.name ?? "";
    socket.send(
      encode({
        type: "response",
        id,
        questions,
        answers: [{ type: "A", name, ttl: 60, data: "127.0.0.1" }],
      }),
      client.port,
      client.address,
    );
  });
  socket.bind(5353, "127.0.0.1");
}

async function measure(): Promise<Results> {
  const env = layEdge();
  startNames();
  startJournal();
  const upstream = await start(
    loadCore,
    ["haproxy", "-f", "/bench/files/upstream.cfg"],
    4000,
  );
  const echo = await start(loadCore, ["node", "/bench/echo.cjs"], 4001);
  const startEdge = () =>
    start(
      proxyCore,
      ["haproxy", "-f", `${places.etc("edge")}/haproxy.cfg`],
      443,
      env,
    );
  let edge = await startEdge();
  const bare = await startBare();
  const http1 = await compare("HTTP/1.1", wrk);
  const http2 = await compare("HTTP/2", h2load);
  // Of the edge's own rate: at half of bare HAProxy's it would be all but full,
  // and the difference would be its queue.
  const half = http1.edge / 2;
  const latency = await compare("latency at half load", (port) =>
    timed(port, half),
  );
  await stop(bare);
  await stop(edge);

  edge = await startEdge();
  const webSockets = await idleWebSockets(edge);
  await stop(edge);

  edge = await startEdge();
  await distinctHosts(1_000, 0);
  const before = memory(edge);
  say(`${String(manyHosts)} sandbox hosts`);
  await distinctHosts(manyHosts, 1_000);
  const after = memory(edge);
  say(`${String(manyHosts)} sandbox hosts more`);
  await distinctHosts(manyHosts, 1_000 + manyHosts);
  const afterMore = memory(edge);
  await stop(edge);

  const nginx = await contender("the request's nginx example", [
    ...["nginx", "-c", "/bench/files/nginx.conf"],
  ]);
  const caddy = await contender("Caddy", [
    ...["caddy", "run", "--config", "/bench/files/Caddyfile"],
    ...["--adapter", "caddyfile"],
  ]);
  await stop(upstream);
  await stop(echo);
  return {
    date: new Date().toISOString(),
    machine: machine({
      haproxy: ["haproxy", "-v"],
      nginx: ["nginx", "-v"],
      caddy: ["caddy", "version"],
    }),
    rate: { http1, http2, nginx: nginx.rate, caddy: caddy.rate },
    latency: {
      edge: latency.bare + median(latency.differences),
      bare: latency.bare,
    },
    webSockets,
    memory: {
      before,
      after,
      afterMore,
      nginx: nginx.bytes,
      caddy: caddy.bytes,
    },
  };
}

drive(measure);
