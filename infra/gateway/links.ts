/** Interfaces of the network namespace that this runs in, and whose they are. */
import { execFile } from "node:child_process";
import { readlink } from "node:fs/promises";
import { promisify } from "node:util";
import * as z from "zod";
import type { Docker } from "./docker.ts";
import type { Link } from "./ports.ts";

const run = promisify(execFile);

const shownLinks = z.array(
  z.object({
    ifname: z.string(),
    master: z.string().optional(),
    link_netnsid: z.int().optional(),
    linkinfo: z.object({ info_kind: z.string().optional() }).optional(),
  }),
);

/** @throws Error when `ip` fails or says something else */
export async function links(): Promise<Link[]> {
  const { stdout } = await run("ip", ["-json", "-details", "link", "show"]);
  return shownLinks.parse(JSON.parse(stdout)).map((link) => ({
    name: link.ifname,
    isBridge: link.linkinfo?.info_kind === "bridge",
    ...(link.master === undefined ? {} : { bridge: link.master }),
    ...(link.link_netnsid === undefined
      ? {}
      : { peerNamespace: link.link_netnsid }),
  }));
}

const shownNamespaces = z.object({
  namespaces: z.array(
    // None for one that begins or ends.
    z.object({
      ns: z.int(),
      netnsid: z.union([z.string(), z.int()]).nullable(),
    }),
  ),
});

/** The kernel's number for the network namespace of each process. */
export async function namespacesOf(
  { processes }: Docker,
  pids: readonly number[],
): Promise<Map<number, number>> {
  const { stdout } = await run("lsns", [
    ...["--json", "--type", "net", "--output", "NS,NETNSID"],
  ]);
  const numbers = new Map(
    shownNamespaces
      .parse(JSON.parse(stdout))
      .namespaces.map(({ ns, netnsid }) => [ns, Number(netnsid ?? Number.NaN)]),
  );
  const found = new Map<number, number>();
  for (const pid of pids) {
    const name = await readlink(`${processes}/${String(pid)}/ns/net`).catch(
      () => "",
    );
    const number = numbers.get(Number(/\d+/.exec(name)?.[0]));
    if (number !== undefined && !Number.isNaN(number)) found.set(pid, number);
  }
  return found;
}
