/** A second edge of either stack, with other settings, for as long as a suite needs one. */
import { rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseConfig } from "../../infra/config/parse.ts";
import { type EdgeConfig, edgeBundle } from "../../infra/edge/bundle.ts";
import { localUserData } from "../../infra/platforms/local/user-data.ts";
import { bundleTarball } from "../../infra/machine/tarball.ts";
import { storeDirectory } from "../../scripts/checkout.ts";
import { edgeAddresses } from "../../scripts/lab/machine-addresses.ts";
import { labSecrets } from "../../scripts/lab/secrets.ts";
import { type StackName, labStackFile, ownKeys } from "../../scripts/stack.ts";
import { lab, labCurl } from "./lab.ts";

const spareBundle = "spare-bundle.tar.gz";

export const spareEdge = edgeAddresses["edge-spare"];

/**
 * Boots it, with the stack's live state.
 * @param change keys of the stack's configuration that differ
 */
export async function bootSpareEdge(
  stack: StackName,
  change: Record<string, unknown>,
  more: Pick<EdgeConfig, "loadBalancers"> = {},
): Promise<void> {
  const { config, problems } = parseConfig({
    ...ownKeys(labStackFile(stack, labSecrets())),
    ...change,
  });
  if (!config) throw new Error(JSON.stringify(problems));
  // As two edges of one stack: they read the same live state.
  const store = storeDirectory("edge-spare");
  await rm(store, { recursive: true, force: true });
  await symlink(storeDirectory(config.local.edge), store);
  const tarball = await bundleTarball(edgeBundle({ ...config, ...more }));
  await writeFile(join(store, spareBundle), tarball);
  const userData = localUserData(
    tarball,
    `/var/lib/daytona-edge/store/${spareBundle}`,
  );
  const boot = await lab(["machine", "boot", "edge-spare"], {
    input: userData,
  });
  if (boot.exitCode !== 0) throw new Error(boot.stderr + boot.stdout);
  const health = await labCurl([
    ..."--retry 240 --retry-delay 1 --retry-all-errors -f".split(" "),
    `http://${spareEdge.ipv4}:8404/healthz`,
  ]);
  if (health.exitCode !== 0) throw new Error(health.stderr);
}

export async function removeSpareEdge(): Promise<void> {
  await lab(["machine", "remove", "edge-spare"]);
  const store = storeDirectory("edge-spare");
  await rm(join(store, spareBundle), { force: true });
  await rm(store, { force: true });
}
