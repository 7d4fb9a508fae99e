import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";

/** Until a program listens for certain, and until one that ended begins again, in ms. */
const beginning = 500;

export type Command = readonly [program: string, ...options: string[]];

/**
 * Keeps a program running that prints something whenever something changes.
 * @param changed called then, and whenever a change may have been missed: the
 *   program has just begun, or has ended
 * @param log told why it ended, and once where it ends again and again
 */
export async function monitor(
  [program, ...options]: Command,
  changed: () => void,
  log: (line: string) => void,
  signal?: AbortSignal,
): Promise<void> {
  let said = "";
  while (!signal?.aborted) {
    const end = await ended(program, options, changed, signal);
    changed();
    if (end !== said && !signal?.aborted) {
      log(`${program} ended, and begins again: ${end}`);
    }
    said = end;
    await sleep(beginning);
  }
}

/** @returns what it complained of last */
function ended(
  program: string,
  options: readonly string[],
  changed: () => void,
  signal?: AbortSignal,
): Promise<string> {
  return new Promise((resolve) => {
    const running = spawn(program, options, {
      stdio: ["ignore", "pipe", "pipe"],
      ...(signal && { signal }),
    });
    const begun = setTimeout(changed, beginning);
    let complaint = "";
    const end = () => {
      clearTimeout(begun);
      resolve(complaint);
    };
    running.stdout.on("data", changed);
    running.stderr.on("data", (chunk: Buffer) => {
      complaint = chunk.toString().trim();
    });
    running.once("error", (error) => {
      complaint = error.message;
      end();
    });
    running.once("close", end);
  });
}
