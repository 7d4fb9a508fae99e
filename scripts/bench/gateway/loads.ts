/** What is asked of each road; every load generator has the second core. */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { h2loadRate, logPercentile, wrkBytes, wrkRate } from "../figures.ts";
import { isQuick } from "../driver.ts";
import { cpuSeconds, load, loadCore } from "../processes.ts";
import type { Latency, Rate } from "./results.ts";
import { type Road, hostOf } from "./roads.ts";

const seconds = isQuick ? 1 : 4;
const url = (road: Road, path: string) => `https://${hostOf(road)}/api/${path}`;

const wrk = (road: Road, path: string, ...options: string[]) =>
  load([
    ...["wrk", "-t1", `-d${String(seconds)}s`, "--timeout", "30s"],
    ...[...options, url(road, path)],
  ]);

/** Requests over 64 connections that are kept, HTTP/1.1. */
export const http1 = (road: Road) => wrk(road, "answer", "-c64").then(wrkRate);

/** Requests over 16 connections of 8 streams each, HTTP/2. */
export const http2 = (road: Road) =>
  load([
    ...["h2load", "-t1", "-c16", "-m8", "-D", String(seconds)],
    url(road, "answer"),
  ]).then(h2loadRate);

/** Connections of one request each; wrk resumes its TLS sessions. */
export const connections = (road: Road) =>
  wrk(road, "answer", "-c16", "-H", "Connection: close").then(wrkRate);

/** Megabytes (10⁶) of large bodies, four at a time. */
export const body = async (road: Road) =>
  wrkBytes(await wrk(road, "body", "-c4")) / 1e6;

/** A rate, and what each one of it took of the gateway's core. */
export async function costed(
  gateway: readonly ChildProcess[],
  work: () => Promise<number>,
): Promise<Rate> {
  const before = cpuSeconds(gateway);
  const perSecond = await work();
  const used = cpuSeconds(gateway) - before;
  return { perSecond, cpuMicroseconds: (used / (perSecond * seconds)) * 1e6 };
}

/** Times of requests at a constant rate, over 32 kept connections, HTTP/1.1. */
export async function latency(road: Road, perSecond: number): Promise<Latency> {
  const clients = 32;
  const log = "/tmp/h2load.log";
  await load([
    ...["h2load", "-t1", `-c${String(clients)}`, "--h1"],
    ...["--rps", (perSecond / clients).toFixed(1), "-D", String(seconds)],
    ...["--log-file", log, url(road, "answer")],
  ]);
  const text = readFileSync(log, "utf8");
  writeFileSync(log, "");
  return { p50: logPercentile(text, 50), p99: logPercentile(text, 99) };
}

/** Times until the first event of streams, each over a new connection, in milliseconds. */
export async function firstEvents(
  roads: readonly Road[],
): Promise<Record<string, number[]>> {
  const count = isQuick ? 20 : 200;
  const argv = ["node", "/bench/first-event.cjs", String(count)];
  const output = await load([...argv, ...roads.map(hostOf)]);
  return JSON.parse(output) as Record<string, number[]>;
}

/** Sandboxes that stay connected; ends when it is killed. */
export async function connectSandboxes(
  count: number,
  roads: readonly Road[],
): Promise<ChildProcess> {
  const argv = ["node", "/bench/sandboxes.cjs", String(count)];
  const holder = spawn(
    "taskset",
    ["-c", String(loadCore), ...argv, ...roads.map(hostOf)],
    { stdio: ["ignore", "inherit", "inherit", "ipc"] },
  );
  await new Promise((resolve, reject) => {
    holder.once("message", resolve);
    holder.once("exit", () => {
      reject(new Error("the sandboxes could not all connect"));
    });
  });
  return holder;
}
