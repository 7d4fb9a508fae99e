/** What an agent puts to work at once, and HAProxy's next start reads from the disk. */
import { truncate } from "node:fs/promises";
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
