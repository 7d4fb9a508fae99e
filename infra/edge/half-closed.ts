import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

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
    // With its process: one that nobody holds any more ends by the kernel. To find
    // that ss reads all that all processes have open, so only where there is any.
    const stdout = (await listed()) && (await listed("-p"));
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

/** Connections of that state, but for those of clients. */
async function listed(...options: string[]): Promise<string> {
  const clients = "( not sport = :443 and not sport = :80 )";
  const filter = ["state", "fin-wait-2", clients];
  return (await run("ss", ["-H", "-t", "-n", ...options, ...filter])).stdout;
}

/** The pairs of addresses of HAProxy's lines of `ss -Htnp`. */
export function halfClosed(lines: string): string[] {
  return lines
    .split("\n")
    .map((line) => /(\S+:\d+)\s+(\S+:\d+)\s+users:\(\("haproxy"/.exec(line))
    .filter((match) => match !== null)
    .map(([, local = "", peer = ""]) => `${local} ${peer}`);
}
