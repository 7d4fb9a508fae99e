/** User data of the stack's machines on this computer. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cloudInitUserData } from "../../machine/cloud-init.ts";

const script = readFileSync(join(import.meta.dirname, "bootstrap.sh"), "utf8");

/**
 * User data that takes a bundle from the store.
 * @param tarball the bundle, as `bundleTarball` packs it; another one is
 *   other user data, and so another machine
 * @param path where the machine finds it
 */
export function localUserData(tarball: Uint8Array, path: string): string {
  const sha256 = createHash("sha256").update(tarball).digest("hex");
  return cloudInitUserData({
    script,
    environment: { BUNDLE: path, BUNDLE_SHA256: sha256 },
  });
}
