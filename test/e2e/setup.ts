import { execa } from "execa";
import { join } from "node:path";
import { checkout } from "../../scripts/checkout.ts";
import { livingLab } from "../../scripts/lab/namespaces.ts";

/** Says that another project of this run has done it. */
const done = "DAYTONA_EDGE_LAB_IS_SET_UP";

/** Starts the lab, and stops it afterwards unless it was there before. */
export default async function setup(): Promise<
  (() => Promise<void>) | undefined
> {
  if (process.env[done]) return undefined;
  process.env[done] = "yes";
  const wasRunning = livingLab() !== undefined;
  await script("start.ts");
  return async () => {
    if (!wasRunning) await script("stop.ts");
  };
}

async function script(name: string): Promise<void> {
  await execa(process.execPath, [join(checkout, "scripts", name)], {
    stdio: "inherit",
  });
}
