/** What an agent puts to work at once, and HAProxy's next start reads from the disk. */
import { lstatSync, readdirSync } from "node:fs";
import { truncate } from "node:fs/promises";
import { join } from "node:path";
import { writeAtomically } from "../write-atomically.ts";
import { messageOf } from "./message-of.ts";

/**
 * Writes a file that only the next start needs; what counts does not wait for
 * the disk, which may be full.
 * @returns why the disk did not take it
 */
export async function keepForRestart(
  path: string,
  content: string,
): Promise<Error | undefined> {
  try {
    await writeAtomically(path, content, 0o600);
    return undefined;
  } catch (error) {
    return new Error(
      `in force, but not kept for a restart: ${path}: ${messageOf(error)}`,
    );
  }
}

/** Takes away what the next start must not go by; a disk that cannot be written keeps it. */
export async function emptyForRestart(path: string): Promise<void> {
  await truncate(path).catch(() => undefined);
}

/**
 * A line of each file, which is another one when the file is: whoever changes
 * content, mode or owner cannot keep the time of it (ctime).
 * @param paths files, and directories for all that lies in them
 */
export function fileStates(paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    const found = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    if (!found) return [`${path} absent`];
    if (found.isDirectory()) {
      return fileStates(readdirSync(path).map((name) => join(path, name)));
    }
    const { ino, size, ctimeNs } = found;
    return [[path, ino, size, ctimeNs].join(" ")];
  });
}
