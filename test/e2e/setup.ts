import { execa, execaSync } from "execa";
import { join } from "node:path";
import { checkout } from "../../scripts/checkout.ts";
import { livingLab } from "../../scripts/lab/namespaces.ts";

/** Says that another project of this run has done it. */
const done = "DAYTONA_EDGE_LAB_IS_SET_UP";

/**
 * Starts the first lab, and stops it afterwards unless it was there before. Each
 * other begins with the first suite that it is for (`own-lab.ts`).
 */
export default async function setup(): Promise<void> {
  if (process.env[done]) return;
  process.env[done] = "yes";
  const wasRunning = livingLab() !== undefined;
  // Not a teardown: there is none after Ctrl-C, nor when the start fails.
  process.once("exit", () => {
    const stop = script("stop.ts", ...(wasRunning ? ["--suites"] : []));
    execaSync(...stop, { stdio: "inherit" });
  });
  // A killed run left them in the middle of a suite.
  await execa(...script("stop.ts", "--suites"));
  await execa(...script("start.ts"), { stdio: "inherit" });
}

function script(name: string, ...args: string[]): [string, string[]] {
  return [process.execPath, [join(checkout, "scripts", name), ...args]];
}
