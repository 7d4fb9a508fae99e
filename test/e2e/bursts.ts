/** Many calls at a spare edge, from addresses of their own on the lab's bridge. */
import { join } from "node:path";
import type { Burst, Counts } from "./fixtures/burst.ts";
import { FIRST_SANDBOX, SIGNED_DOMAIN, inLab } from "./lab.ts";
import { spareEdge } from "./spare-edge.ts";
import { type Key, claims, sign } from "./tokens.ts";

export interface BurstOptions {
  readonly kind?: Burst["kind"];
  readonly from: string;
  readonly proxiedFor?: string;
  readonly to?: string;
  readonly port?: number;
  /** Whether it asks at the edge's port 80. */
  readonly plain?: boolean;
  readonly count: number;
  readonly atATime?: number;
  readonly path?: string;
  readonly token?: boolean;
  readonly hold?: boolean;
  readonly fields?: Readonly<Record<string, string>>;
}

/** @param key signs the tokens that they bring */
function burstOf(key: Key, options: BurstOptions): Burst {
  const { kind = "request", from, to = FIRST_SANDBOX, port = 3000 } = options;
  const scheme =
    kind === "stream" ? "wss" : options.plain === true ? "http" : "https";
  return {
    kind,
    url: `${scheme}://${to}-${String(port)}.${SIGNED_DOMAIN}${options.path ?? "/"}`,
    local: from,
    edge: from.includes(":") ? spareEdge.ipv6 : spareEdge.ipv4,
    count: options.count,
    atATime: options.atATime ?? 1,
    headers: {
      ...options.fields,
      ...(options.token === false
        ? {}
        : { "X-Sandbox-Token": sign(key, claims(to, port)) }),
    },
    hold: options.hold ?? false,
    proxiedFor: options.proxiedFor,
  };
}

/**
 * What became of many requests, by status. Limits forget within ten seconds,
 * in which a busy machine may not start a second program: so it is one program,
 * with the groups one after the other, and a group's bursts beside each other.
 */
export async function bursts(
  key: Key,
  ...groups: readonly (readonly BurstOptions[])[]
): Promise<Counts[][]> {
  const wanted = groups.map((group) =>
    group.map((options) => burstOf(key, options)),
  );
  const { stdout, stderr } = await inLab([
    process.execPath,
    join(import.meta.dirname, "fixtures/burst.ts"),
    JSON.stringify(wanted),
  ]);
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout) as Counts[][];
}

/** Gives the bridge addresses to call from, or takes them away. */
export async function onBridge(
  verb: "add" | "delete",
  addresses: readonly string[],
): Promise<void> {
  await inLab([
    "sh",
    "-c",
    addresses
      .map((address) => {
        const prefix = address.includes(":") ? 128 : 24;
        return `ip address ${verb} ${address}/${String(prefix)} dev lab`;
      })
      .join("; "),
  ]);
}
