import { execa } from "execa";
import { join } from "node:path";
import { checkout, labDirectories } from "../../scripts/checkout.ts";
import { livingLab, stopNamespaces } from "../../scripts/lab/namespaces.ts";

/** Says that another project of this run has done it. */
const done = "DAYTONA_EDGE_LAB_IS_SET_UP";

/**
 * Starts the first lab, and stops it afterwards unless it was there before. The
 * other begins with the first suite that it is for (`own-lab.ts`).
 */
export default async function setup(): Promise<
  (() => Promise<void>) | undefined
> {
  if (process.env[done]) return undefined;
  process.env[done] = "yes";
  const wasRunning = livingLab() !== undefined;
  // A killed run left it in the middle of a suite.
  await stopOther();
  await startLab();
  return async () => {
    await stopOther();
    if (!wasRunning) await script("stop.ts");
  };
}

/** Boots this process's lab, or repairs it. */
export function startLab(): Promise<void> {
  return script("start.ts");
}

async function stopOther(): Promise<void> {
  const [, ...others] = labDirectories;
  for (const directory of others) await stopNamespaces(directory);
}

async function script(name: string): Promise<void> {
  await execa(process.execPath, [join(checkout, "scripts", name)], {
    stdio: "inherit",
  });
}
