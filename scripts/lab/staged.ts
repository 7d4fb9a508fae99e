/** What takes long to make, made beside its place and moved there whole. */
import { existsSync, readdirSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** How long another run is waited for that makes the same, in milliseconds. */
const waitLimit = 600_000;

/**
 * Makes a directory unless it is there. A killed run leaves its half, named
 * after its process; the next one that makes something of the kind removes it.
 * @param target its name ends with a hash of what goes into it
 * @param make is given the directory to fill, which does not exist yet
 */
export async function ensureStaged(
  target: string,
  make: (staging: string) => Promise<void>,
): Promise<void> {
  // A number may be another process's by now, so not for ever.
  for (const deadline = Date.now() + waitLimit; Date.now() < deadline;) {
    if (!(await isBeingMade(target))) break;
    await sleep(500);
  }
  if (existsSync(target)) return;
  const staging = `${target}.${String(process.pid)}`;
  try {
    await make(staging);
    // Another run may have made the same meanwhile: either serves.
    await rename(staging, target).catch((error: unknown) => {
      if (!existsSync(target)) throw error;
    });
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/**
 * Whether another run makes it this moment. Halves of killed ones are removed.
 * Two that begin at the same moment both make it, and either serves.
 */
async function isBeingMade(target: string): Promise<boolean> {
  if (existsSync(target)) return false;
  const place = dirname(target);
  const kind = basename(target).replace(/[0-9a-f]+$/, "");
  await mkdir(place, { recursive: true });
  for (const name of readdirSync(place)) {
    const maker = /^[0-9a-f]+\.(\d+)$/.exec(name.slice(kind.length))?.[1];
    if (!name.startsWith(kind) || maker === undefined) continue;
    if (existsSync(`/proc/${maker}`)) {
      if (name === `${basename(target)}.${maker}`) return true;
      continue;
    }
    await rm(join(place, name), { recursive: true, force: true });
  }
  return false;
}
