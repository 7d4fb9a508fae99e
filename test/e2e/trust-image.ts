/**
 * A Daytona snapshot with the runtimes that sandboxes call out with. Only its
 * suite needs it, so only its suite makes it; kept in the lab's cache.
 */
import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../scripts/lab/command.ts";
import { ensureStaged } from "../../scripts/lab/staged.ts";
import { snapshots } from "../../scripts/checkout.ts";

const fixtures = join(import.meta.dirname, "fixtures/trust");

const packages = [
  "busybox",
  "ca-certificates",
  "curl",
  "default-jdk-headless",
  "git",
  "golang-go",
  "iproute2",
  "nodejs",
  "procps",
  "python3-httpx",
  "python3-requests",
  "wget",
];

/** @returns the snapshot's name @throws LabError when it cannot be made */
export async function ensureTrustSnapshot(): Promise<string> {
  const content = createHash("sha256").update(packages.join());
  for (const file of readdirSync(fixtures).sort()) {
    content.update(readFileSync(join(fixtures, file)));
  }
  const name = `trust-${content.digest("hex").slice(0, 16)}`;
  const root = join(snapshots, name);
  await ensureStaged(root, async (staging) => {
    await run([
      "mmdebstrap",
      "--variant=minbase",
      `--include=${packages.join(",")}`,
      `--customize-hook=${join(fixtures, "setup.sh")} "$1"`,
      "trixie",
      staging,
    ]);
  });
  return name;
}
