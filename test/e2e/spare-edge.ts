/** A second edge of either stack, with other settings, for as long as a suite needs one. */
import { cp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseConfig } from "../../infra/config.ts";
import { type EdgeConfig, edgeBundle } from "../../infra/edge/bundle.ts";
import { cloudInitUserData } from "../../infra/machine/cloud-init.ts";
import { bundleTarball } from "../../infra/machine/tarball.ts";
import {
  bundleDocument,
  bundleOnMachine,
} from "../../infra/platforms/local/edge.ts";
import { storeDirectory } from "../../scripts/checkout.ts";
import { edgeAddresses } from "../../scripts/lab/edge-addresses.ts";
import { type StackName, stackFile } from "../../scripts/stack.ts";
import { lab, labCurl } from "./lab.ts";

export const spareEdge = edgeAddresses["edge-spare"];

/**
 * Boots it, with a copy of the stack's live state.
 * @param change keys of the stack's configuration that differ
 */
export async function bootSpareEdge(
  stack: StackName,
  change: Record<string, unknown>,
  more: Pick<EdgeConfig, "loadBalancers"> = {},
): Promise<void> {
  const given = Object.entries(stackFile(stack).config)
    .filter(([key]) => key.startsWith("daytona-edge:"))
    .map(([key, value]) => [key.replace("daytona-edge:", ""), value]);
  const { config, problems } = parseConfig({
    ...(Object.fromEntries(given) as Record<string, unknown>),
    ...change,
  });
  if (!config) throw new Error(JSON.stringify(problems));
  const store = storeDirectory("edge-spare");
  await rm(store, { recursive: true, force: true });
  await cp(storeDirectory(config.local.edge), store, {
    recursive: true,
    filter: (path) => !path.endsWith(".lock"),
  });
  const tarball = await bundleTarball(edgeBundle({ ...config, ...more }));
  await writeFile(join(store, bundleDocument), tarball);
  const userData = cloudInitUserData(tarball, bundleOnMachine);
  const boot = await lab(["machine", "boot", "edge-spare"], {
    input: userData,
  });
  if (boot.exitCode !== 0) throw new Error(boot.stderr + boot.stdout);
  const health = await labCurl([
    ..."--retry 40 --retry-delay 1 --retry-all-errors -f".split(" "),
    `http://${spareEdge.ipv4}:8404/healthz`,
  ]);
  if (health.exitCode !== 0) throw new Error(health.stderr);
}

export async function removeSpareEdge(): Promise<void> {
  await lab(["machine", "remove", "edge-spare"]);
  await rm(storeDirectory("edge-spare"), { recursive: true, force: true });
}
