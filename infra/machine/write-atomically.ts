import { readFileSync, statSync } from "node:fs";
import { chmod, mkdir, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/**
 * Writes a file so that a reader, a crash or a power cut sees the old content
 * or the new one, never a part; after it resolves, the new one.
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
    // The kernel writes a mode to the disk, even one that the file has.
    if ((statSync(path).mode & 0o7777) !== mode) await chmod(path, mode);
    return false;
  }
  const directory = dirname(path);
  await mkdir(directory, { recursive: true });
  // One name, so that a crash leaves no more than one; with a dot, so that
  // HAProxy, which loads whatever lies in a directory of certificates, skips it.
  const staging = join(directory, `.${basename(path)}.new`);
  try {
    // What a crash has left may be open to others.
    await rm(staging, { force: true });
    const file = await open(staging, "wx", mode);
    try {
      await file.writeFile(bytes);
      await file.chmod(mode);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(staging, path);
    await synchronize(directory);
  } catch (error) {
    await rm(staging, { force: true });
    throw error;
  }
  return true;
}

/** The new name of a file is on the disk only when its directory is. */
async function synchronize(directory: string): Promise<void> {
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function hasContent(path: string, bytes: Buffer): boolean {
  try {
    return readFileSync(path).equals(bytes);
  } catch {
    return false;
  }
}
