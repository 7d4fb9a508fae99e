/** The lab's image with the contenders and the load generators in it, kept in the same cache. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { edgePackages } from "../../infra/edge/bundle.ts";
import { gatewayPackages } from "../../infra/gateway/bundle.ts";
import { cacheDirectory } from "../checkout.ts";
import { run } from "../lab/command.ts";
import { ensureStaged } from "../lab/staged.ts";

const packages = [
  ...new Set([
    ...edgePackages,
    ...gatewayPackages,
    "caddy",
    "nghttp2-client",
    "nginx-light",
    "procps",
    "util-linux",
    "wrk",
  ]),
].sort();

/** @returns the root directory of the image @throws LabError when it cannot be made */
export async function ensureBenchImage(): Promise<string> {
  const hash = createHash("sha256").update(packages.join()).digest("hex");
  const root = join(cacheDirectory, `bench-${hash.slice(0, 16)}`);
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
