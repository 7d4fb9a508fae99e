/** A Debian 13 root with some packages, made once and kept in the cache. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { cacheDirectory } from "../checkout.ts";
import { run } from "./command.ts";
import { ensureStaged } from "./staged.ts";

/**
 * @param kind begins the root's name; the packages end it
 * @returns the root directory
 * @throws LabError when it cannot be made
 */
export async function ensureDebianRoot(
  kind: string,
  packages: readonly string[],
): Promise<string> {
  const hash = createHash("sha256").update(packages.join()).digest("hex");
  const root = join(cacheDirectory, `${kind}-${hash.slice(0, 16)}`);
  await ensureStaged(root, async (staging) => {
    await run([
      "mmdebstrap",
      "--variant=minbase",
      `--include=${packages.join(",")}`,
      "trixie",
      staging,
    ]);
  });
  return root;
}
