import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** How long a sandbox may keep an answer, in seconds. */
const ttl = 30;

/** Asks unbound's control socket; the input, where a command reads a list. */
export type Control = (command: string, input?: string) => Promise<string>;

/**
 * Makes the sandboxes' resolver answer exactly these hosts, with the gateway's
 * address: names that are not wanted any more go first, then the missing ones
 * come. Asks the resolver what it has, so that a restart is repaired.
 * @throws Error when the resolver does not run
 */
export async function applyNames(
  hosts: readonly string[],
  address: string,
  control: Control = unboundControl,
): Promise<void> {
  const present = await presentHosts(address, control);
  const unwanted = present.filter((host) => !hosts.includes(host));
  if (unwanted.length > 0) {
    await control(
      "local_zones_remove",
      list(unwanted, (host) => `${host}.`),
    );
  }
  const missing = hosts.filter((host) => !present.includes(host));
  if (missing.length > 0) {
    // Static: the name itself, no other type, and nothing below it.
    const zones = list(missing, (host) => `${host}. static`);
    await control("local_zones", zones);
    const data = (host: string) => `${host}. ${String(ttl)} IN A ${address}`;
    await control("local_datas", list(missing, data));
  }
}

/**
 * Hosts that are answered with the gateway's address. The zones that unbound
 * brings along (RFC 6761) have others, a half-done one has none.
 */
async function presentHosts(
  address: string,
  control: Control,
): Promise<string[]> {
  const data = await control("list_local_data");
  return [...data.matchAll(/^(\S+)\.\s+\d+\s+IN\s+A\s+(\S+)$/gm)]
    .filter(([, , answer]) => answer === address)
    .map(([, host]) => host ?? "");
}

function list(
  hosts: readonly string[],
  line: (host: string) => string,
): string {
  return hosts.map((host) => `${line(host)}\n`).join("");
}

async function unboundControl(
  command: string,
  input?: string,
): Promise<string> {
  try {
    const answer = run("unbound-control", [
      "-c",
      "/etc/daytona-edge/gateway/resolver.conf",
      command,
    ]);
    answer.child.stdin?.end(input);
    return (await answer).stdout;
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
