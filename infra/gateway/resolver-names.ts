import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** How long a sandbox may keep an answer, in seconds. */
const ttl = 30;

/**
 * Makes the sandboxes' resolver answer exactly these hosts, with the gateway's
 * address: names that are not wanted any more go first, then the missing ones
 * come. Asks the resolver what it has, so that a restart is repaired.
 * @throws Error when the resolver does not run
 */
export async function applyNames(
  hosts: readonly string[],
  address: string,
): Promise<void> {
  const present = await presentHosts();
  for (const host of present) {
    if (!hosts.includes(host)) await control("local_zone_remove", `${host}.`);
  }
  for (const host of hosts) {
    if (present.includes(host)) continue;
    // Static: the name itself, no other type, and nothing below it.
    await control("local_zone", `${host}.`, "static");
    await control("local_data", `${host}.`, String(ttl), "IN", "A", address);
  }
}

/** Hosts that have a zone and its data; a zone alone is a half-done one. */
async function presentHosts(): Promise<string[]> {
  const data = await control("list_local_data");
  const zones = await control("list_local_zones");
  const withAddress = new Set(
    [...data.matchAll(/^(\S+)\.\s+\d+\s+IN\s+A\s/gm)].map(([, host]) => host),
  );
  return [...zones.matchAll(/^(\S+)\. static$/gm)]
    .map(([, host]) => host ?? "")
    .filter((host) => withAddress.has(host) && !isBuiltIn(host));
}

/** Zones that unbound brings along (RFC 6761 and its like). */
function isBuiltIn(host: string): boolean {
  return /(^|\.)(localhost|test|invalid|onion|arpa|local)$/.test(host);
}

async function control(...args: string[]): Promise<string> {
  try {
    const { stdout } = await run("unbound-control", [
      "-c",
      "/etc/daytona-edge/gateway/resolver.conf",
      ...args,
    ]);
    return stdout;
  } catch (error) {
    // Its lines begin with a time and a process number, never twice the same.
    const { stderr } = error as { stderr?: string };
    const lines = (stderr ?? String(error)).trim().split("\n");
    const reasons = lines.map((line) => line.replace(/^\[\d+\] \S+ /, ""));
    throw new Error(`the sandboxes' resolver: ${reasons.join("; ")}`, {
      cause: error,
    });
  }
}
