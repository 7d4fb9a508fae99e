/** What lives here: the library that the agents on the machines share. Node 20, nothing but its own modules. */
import { readFileSync } from "node:fs";
import { chmod, mkdir, open, rename, rm, truncate } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { messageOf } from "./message-of.ts";

/**
 * Writes a file so that a reader, a crash or a power cut sees the old content
 * or the new one, never a part.
 * @param mode permission bits
 * @returns whether the content changed; an equal file is left alone
 */
export async function writeAtomically(
  path: string,
  content: string | Uint8Array,
  mode: number,
): Promise<boolean> {
  const bytes = Buffer.from(content);
  if (hasContent(path, bytes)) {
    await chmod(path, mode);
    return false;
  }
  await mkdir(dirname(path), { recursive: true });
  // One name, so that a crash leaves no more than one; with a dot, so that
  // HAProxy, which loads whatever lies in a directory of certificates, skips it.
  const staging = join(dirname(path), `.${basename(path)}.new`);
  try {
    const file = await open(staging, "w", mode);
    try {
      await file.writeFile(bytes);
      await file.chmod(mode);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(staging, path);
  } catch (error) {
    await rm(staging, { force: true });
    throw error;
  }
  return true;
}

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

function hasContent(path: string, bytes: Buffer): boolean {
  try {
    return readFileSync(path).equals(bytes);
  } catch {
    return false;
  }
}
