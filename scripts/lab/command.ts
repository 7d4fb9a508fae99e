import { type Options, execa } from "execa";
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";

/** A failure that the reader can act on: only its message is shown. */
export class LabError extends Error {}

/**
 * Runs a program and returns its standard output without the last newline.
 * @throws LabError with the command, its exit code and the end of its output.
 */
export async function run(
  argv: readonly [string, ...string[]],
  options: Options = {},
): Promise<string> {
  const [file, ...args] = argv;
  const result = await execa(file, args, {
    ...options,
    reject: false,
    all: true,
  });
  if (result.failed) {
    const output = String(result.all ?? "").trimEnd();
    const tail = output.split("\n").slice(-15).join("\n");
    throw new LabError(
      `${argv.join(" ")}\n  failed: ${(result.shortMessage ?? "").split("\n", 1)[0] ?? ""}\n${tail}`,
    );
  }
  return String(result.stdout);
}

/**
 * Starts a program that outlives this one; its output goes to a file.
 * @returns its process number, or undefined when it could not be started
 */
export function runDetached(
  argv: readonly [string, ...string[]],
  log: string,
  options: { env?: Record<string, string> } = {},
): number | undefined {
  const [file, ...args] = argv;
  const output = openSync(log, "a");
  try {
    const child = spawn(file, args, {
      cwd: "/",
      detached: true,
      stdio: ["ignore", output, output],
      env: { ...process.env, ...options.env },
    });
    // Without a process number the caller reports; the event says no more.
    child.on("error", () => undefined);
    child.unref();
    return child.pid;
  } finally {
    closeSync(output);
  }
}
