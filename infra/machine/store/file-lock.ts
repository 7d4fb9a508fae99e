/**
 * A lock on a file that the kernel takes away from a process that dies, so it
 * is never stale and works between containers that share the file. Node has
 * no flock(2); util-linux' flock(1), which every Debian has, holds it for us.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

export interface FileLockOptions {
  /** In seconds. */
  readonly timeout: number;
  /** Called when somebody else holds the lock, before the wait for it. */
  readonly onWait?: (() => void) | undefined;
}

/** Answer of flock when the lock is somebody else's. */
const taken = 75;

/**
 * Runs `work` while this process holds the lock on `path`.
 * @throws Error when somebody else still holds it after the timeout.
 */
export async function withFileLock<T>(
  path: string,
  work: () => Promise<T>,
  options: FileLockOptions,
): Promise<T> {
  const { timeout, onWait } = options;
  let release = await acquire(path, ["--nonblock"]);
  if (!release) {
    onWait?.();
    release = await acquire(path, ["--timeout", String(timeout)]);
  }
  if (!release) {
    throw new Error(
      `${path} is still locked by another run after ${String(timeout)} s; "fuser ${path}" shows which`,
    );
  }
  try {
    return await work();
  } finally {
    await release();
  }
}

/** @returns what gives the lock back; `undefined` when it could not be had. */
async function acquire(
  path: string,
  mode: readonly string[],
): Promise<(() => Promise<void>) | undefined> {
  // cat ends, and the lock with it, when its input does: when we say so or die.
  // Detached, so that a Ctrl-C leaves the lock to us while we clean up.
  const holder = spawn(
    "flock",
    [
      ...mode,
      "--conflict-exit-code",
      String(taken),
      path,
      "sh",
      "-c",
      "echo locked; exec cat",
    ],
    { stdio: ["pipe", "pipe", "pipe"], detached: true },
  );
  const ended = new Promise<number | null>((resolve, reject) => {
    holder.once("error", reject);
    holder.once("exit", resolve);
  });
  let complaint = "";
  holder.stderr.on("data", (chunk) => (complaint += String(chunk)));
  const locked = once(createInterface(holder.stdout), "line");
  const status = await Promise.race([locked.then(() => "locked"), ended]);
  if (status === "locked") {
    return async () => {
      holder.stdin.end();
      await ended;
    };
  }
  if (status === taken) return undefined;
  throw new Error(`Cannot lock ${path}: ${complaint.trim()}`);
}
