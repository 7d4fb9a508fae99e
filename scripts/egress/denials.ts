/** What gateways refused, out of their logs. */
import * as z from "zod";
import { type JournalEntry, json } from "../deployments/journal.ts";
import { proxyRow } from "./proxy-row.ts";

/** One refusal. */
export interface Denial {
  /** Unix time in milliseconds. */
  readonly time: number;
  /** Address of the sandbox. */
  readonly sandbox: string;
  /** What was wanted: `GET openrouter.ai/credits`, `example.org A`, `1.1.1.1 tcp 443`. */
  readonly wanted: string;
  /** Who refused: the proxy, the resolver or the firewall. */
  readonly by: "proxy" | "resolver" | "firewall";
  /** Why; the proxy's are words such as `path_not_allowed`. */
  readonly reason: string;
  /** The rule that was nearest, or nothing. */
  readonly rule: string;
}

/** Refusals of one kind. */
export interface DenialGroup extends Omit<Denial, "time"> {
  readonly count: number;
  /** Unix time of the last one in milliseconds. */
  readonly last: number;
}

/** Units whose journals hold refusals. */
export const denialUnits = [
  "daytona-gateway.service",
  "daytona-gateway-resolver.service",
  "daytona-gateway-log.service",
];

const firewallRow = z.looseObject({
  "oob.prefix": z.literal("egress refused"),
  src_ip: z.string(),
  dest_ip: z.string(),
  dest_port: z.number().optional(),
  "ip.protocol": z.number().optional(),
});

/** Verdicts that are no refusals. */
const passed = ["allowed", "learnt"];

/** Names of IP protocols (IANA, Assigned Internet Protocol Numbers). */
const protocols: Readonly<Record<number, string>> = {
  1: "icmp",
  6: "tcp",
  17: "udp",
  58: "icmpv6",
  132: "sctp",
};

/** Refusals among what gateways logged. */
export function denialsOf(entries: readonly JournalEntry[]): Denial[] {
  return entries.flatMap(({ time, unit, message }) => {
    const denial =
      unit === "daytona-gateway-resolver.service"
        ? ofResolver(message)
        : unit === "daytona-gateway-log.service"
          ? ofFirewall(message)
          : ofProxy(message);
    return denial ? [{ time, ...denial }] : [];
  });
}

function ofProxy(message: string): Omit<Denial, "time"> | undefined {
  const row = proxyRow.safeParse(json(message));
  if (!row.success || passed.includes(row.data.verdict)) return undefined;
  const { kind, client, host, verdict, method, path, rule } = row.data;
  return {
    sandbox: client,
    wanted: kind === "http" ? `${method} ${host}${path}` : host,
    by: "proxy",
    reason: verdict,
    rule,
  };
}

/**
 * `. always_nxdomain 172.20.0.2@40000 example.org. A IN`, and for a listed name
 * `api.github.com. static 172.20.0.2@40000 api.github.com. TXT IN`: zone, its
 * type, who asks, and the question (unbound.conf(5), log-local-actions). And
 * once for each burst that is too many, `ip_ratelimit exceeded 172.20.0.2 200
 * example.org. IN A`: who, the limit, and the question that was one too many.
 */
function ofResolver(message: string): Omit<Denial, "time"> | undefined {
  const [, flooder, last = "", lastType = ""] =
    /: ip_ratelimit exceeded (\S+) \d+ (\S+) IN (\S+)$/.exec(message) ?? [];
  if (flooder !== undefined) {
    return {
      sandbox: flooder,
      wanted: question(last, lastType),
      by: "resolver",
      reason: "rate_limit",
      rule: "",
    };
  }
  const [, zone = "", kind, sandbox = "", name = "", type = ""] =
    /: (\S+) (always_nxdomain|static|redirect) (\S+)@\d+ (\S+) (\S+) IN$/.exec(
      message,
    ) ?? [];
  if (kind === undefined) return undefined;
  const isListed = kind === "redirect" || (kind === "static" && name === zone);
  // An IPv6 address is asked for by everybody, and never there.
  if (isListed && ["A", "AAAA"].includes(type)) return undefined;
  return {
    sandbox,
    wanted: question(name, type),
    by: "resolver",
    reason: isListed ? "type_not_answered" : "name_not_allowed",
    rule: "",
  };
}

function question(name: string, type: string): string {
  return `${name.replace(/\.$/, "")} ${type}`;
}

function ofFirewall(message: string): Omit<Denial, "time"> | undefined {
  const row = firewallRow.safeParse(json(message));
  if (!row.success) return undefined;
  const { src_ip, dest_ip, dest_port } = row.data;
  const number = row.data["ip.protocol"];
  const protocol =
    number === undefined
      ? ""
      : (protocols[number] ?? `protocol ${String(number)}`);
  return {
    sandbox: src_ip,
    wanted: [dest_ip, protocol, dest_port].filter(Boolean).join(" "),
    by: "firewall",
    reason: "address_not_allowed",
    rule: "",
  };
}

/** One line for what is the same but for its time; the most frequent first. */
export function grouped(denials: readonly Denial[]): DenialGroup[] {
  const groups = new Map<string, DenialGroup>();
  for (const { time, ...denial } of denials) {
    const key = JSON.stringify(denial);
    const known = groups.get(key);
    groups.set(key, {
      ...denial,
      count: (known?.count ?? 0) + 1,
      last: Math.max(known?.last ?? 0, time),
    });
  }
  return [...groups.values()].sort(
    (a, b) => b.count - a.count || b.last - a.last,
  );
}
