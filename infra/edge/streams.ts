/**
 * Ends connections between HAProxy and sandboxes, from outside of HAProxy: it
 * marks each with a hash of its sandbox (set-bc-mark in haproxy.cfg), and the
 * kernel can end marked sockets (ss -K, CONFIG_INET_DIAG_DESTROY).
 */
import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { crc32 } from "node:zlib";

const run = promisify(execFile);

/**
 * When to cut again after a revocation, in milliseconds: HAProxy sends a
 * request that was not answered yet a second and a third time, and one that
 * was let in just before may still be on its way.
 */
const passes = [0, 250, 500, 1_000];

/** Cuts what is open to a sandbox; others of its ports may come back at once. */
export async function cutStreams(sandbox: string): Promise<void> {
  const mark = `0x${crc32(sandbox).toString(16)}`;
  for (const pause of passes) {
    await sleep(pause);
    await run("ss", ["-H", "-K", "-t", "fwmark", "=", mark]);
  }
}

/**
 * Ends connections whose client is gone and whose sandbox does not answer the
 * farewell: nothing in HAProxy bounds those before a day has passed.
 */
export class HalfClosedReaper {
  readonly #limitMs: number;
  /** When each was seen first. */
  #seen = new Map<string, number>();

  /** @param limitMs how long a sandbox may take to close its side */
  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  /** @returns how many connections it ended */
  async sweep(now: number): Promise<number> {
    // With its process: one that nobody holds any more ends by the kernel.
    const { stdout } = await run("ss", [
      "-H",
      "-t",
      "-n",
      "-p",
      "state",
      "fin-wait-2",
      "( not sport = :443 and not sport = :80 )",
    ]);
    const open = halfClosed(stdout);
    this.#seen = new Map(
      open.map((pair) => [pair, this.#seen.get(pair) ?? now]),
    );
    const overdue = open.filter(
      (pair) => now - (this.#seen.get(pair) ?? now) >= this.#limitMs,
    );
    for (const pair of overdue) {
      const [local = "", peer = ""] = pair.split(" ");
      await run("ss", ["-H", "-K", "-t", "src", local, "dst", peer]);
    }
    return overdue.length;
  }
}

/** The pairs of addresses of HAProxy's lines of `ss -Htnp`. */
export function halfClosed(lines: string): string[] {
  return lines
    .split("\n")
    .map((line) => /(\S+:\d+)\s+(\S+:\d+)\s+users:\(\("haproxy"/.exec(line))
    .filter((match) => match !== null)
    .map(([, local = "", peer = ""]) => `${local} ${peer}`);
}
