/** What the lab's internet saw: the endpoints of scripts/lab/internet/control.ts. */
import type { Faults } from "../../scripts/lab/internet/cloudflare/faults.ts";
import { labSecrets } from "../../scripts/lab/secrets.ts";
import { stackConfig } from "../../scripts/stack.ts";
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

/**
 * What Cloudflare's API answers, as to somebody who clicks in its dashboard.
 * @param path below the zone's records
 */
export async function cloudflare<T>(
  path: string,
  ...args: string[]
): Promise<T> {
  const { zoneId } = stackConfig<{ zoneId: string }>("cloudflare");
  const { stdout } = await labCurl([
    ...["-H", `Authorization: Bearer ${labSecrets().cloudflareToken}`],
    ...args,
    `https://cloudflare.internal/client/v4/zones/${zoneId}/dns_records${path}`,
  ]);
  return (JSON.parse(stdout) as { result: T }).result;
}
