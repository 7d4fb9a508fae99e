/** cloud-init user data: what a cloud, or the lab, boots a machine from. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";

const directory = "/run/daytona-edge-bootstrap";
const script = readFileSync(join(import.meta.dirname, "bootstrap.sh"), "utf8");

/**
 * User data that takes a bundle from the store on first boot and installs it.
 * The bundle itself would not fit: EC2 takes 16 KiB.
 * @param tarball the bundle, as `bundleTarball` packs it; another one is
 *   other user data, and so another machine
 * @param path where the machine finds it
 */
export function cloudInitUserData(tarball: Uint8Array, path: string): string {
  const sha256 = createHash("sha256").update(tarball).digest("hex");
  const document = {
    write_files: [
      {
        path: `${directory}/env`,
        permissions: "0600",
        content: `BUNDLE=${path}\nBUNDLE_SHA256=${sha256}\n`,
      },
      {
        path: `${directory}/bootstrap.sh`,
        permissions: "0700",
        content: script,
      },
    ],
    runcmd: [[`${directory}/bootstrap.sh`]],
  };
  return `#cloud-config\n${stringify(document, { lineWidth: 0 })}`;
}
