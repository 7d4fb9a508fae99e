import { type Options, type ResultPromise, execa } from "execa";

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
      `${argv.join(" ")}\n  failed: ${result.shortMessage.split("\n", 1)[0] ?? ""}\n${tail}`,
    );
  }
  return String(result.stdout);
}

/** Starts a program that outlives this one; its output goes to a file. */
export function runDetached(
  argv: readonly [string, ...string[]],
  log: string,
  options: Options = {},
): ResultPromise {
  const [file, ...args] = argv;
  const child = execa(file, args, {
    ...options,
    detached: true,
    cleanup: false,
    reject: false,
    buffer: false,
    stdin: "ignore",
    stdout: { file: log, append: true },
    stderr: { file: log, append: true },
  });
  child.unref();
  return child;
}
