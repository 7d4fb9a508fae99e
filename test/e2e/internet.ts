/** What the lab's internet saw: the endpoints of scripts/lab/internet/control.ts. */
import type { Faults } from "../../scripts/lab/internet/cloudflare/faults.ts";
import { labSecrets } from "../../scripts/lab/secrets.ts";
import { labCurl } from "./lab.ts";

/** Lets Cloudflare's API fail for its next calls. */
export async function failAtCloudflare(fault: Faults): Promise<void> {
  const json = JSON.stringify(fault);
  await askInternet("failures", ...["-X", "PUT", "--json", json]);
}

/** Asks it. @throws Error with curl's words when it does not answer well */
export async function askInternet(
  path: string,
  ...args: string[]
): Promise<string> {
  const { stdout, stderr, exitCode } = await labCurl([
    ...["-f", "-H", `Authorization: Bearer ${labSecrets().cloudflareToken}`],
    ...args,
    `https://cloudflare.internal/__lab/${path}`,
  ]);
  if (exitCode !== 0) throw new Error(stderr);
  return stdout;
}
