/** A bundle as cloud-init user data: what a cloud, or the lab, boots it from. */
import { gzipSync } from "node:zlib";
import { stringify } from "yaml";
import type { Bundle } from "./bundle.ts";
import { bundleTarball } from "./tarball.ts";

/** EC2's limit of user data, in bytes; compressed data counts as sent. */
const limit = 16 * 1024;

const archive = "/run/daytona-edge-bundle.tar.gz";
const unpacked = "/run/daytona-edge-bundle";

/**
 * User data that installs a bundle on first boot.
 * @throws Error when it passes 16 KiB compressed, EC2's limit
 */
export async function cloudInitUserData(bundle: Bundle): Promise<string> {
  const tarball = Buffer.from(await bundleTarball(bundle));
  const document = {
    write_files: [
      {
        path: archive,
        permissions: "0600",
        encoding: "b64",
        content: tarball.toString("base64"),
      },
    ],
    runcmd: [
      ["mkdir", "-p", unpacked],
      ["tar", "-xzf", archive, "-C", unpacked, "--no-same-owner"],
      [`${unpacked}/install.sh`],
    ],
  };
  const text = `#cloud-config\n${stringify(document, { lineWidth: 0 })}`;
  const size = gzipSync(text, { level: 9 }).length;
  if (size > limit) {
    throw new Error(
      `The ${bundle.name}'s user data is ${String(size)} bytes compressed, and EC2 takes ${String(limit)}: make the bundle's files smaller`,
    );
  }
  return text;
}
