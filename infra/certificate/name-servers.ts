/**
 * Looks at DNS the way a certificate authority does: at the zone's own
 * servers, each of them, because a provider's servers learn of a new record
 * one after the other and the authority asks any of them.
 */
import { Resolver, resolve4, resolve6, resolveNs } from "node:dns/promises";
import { setTimeout as sleep } from "node:timers/promises";

/** An authoritative server and its addresses, best first. */
export interface NameServer {
  readonly name: string;
  readonly addresses: readonly string[];
}

export interface Zone {
  readonly name: string;
  readonly servers: readonly NameServer[];
}

export interface WaitOptions {
  /** In ms; default 120 s. */
  readonly limit?: number;
  readonly signal?: AbortSignal | undefined;
}

/** First and longest pause between two rounds of questions, in ms. */
const firstPause = 250;
const longestPause = 4_000;

/** Codes of `node:dns` for "there is no such record". */
const absent = new Set(["ENOTFOUND", "ENODATA"]);

/** The zone that holds `name`, found by the system's resolver. */
export async function findZone(name: string): Promise<Zone> {
  const labels = name.split(".");
  for (let first = 0; first < labels.length - 1; first++) {
    const zone = labels.slice(first).join(".");
    const servers = await unlessAbsent(resolveNs(zone), `NS of ${zone}`);
    if (servers.length === 0) continue;
    return {
      name: zone,
      servers: await Promise.all(servers.map(withAddresses)),
    };
  }
  throw new Error(
    `No zone above ${name} has name servers; check that its domain is delegated to Cloudflare`,
  );
}

/** How a server is asked for a kind of record, and its values as text. */
const questions = {
  TXT: async (resolver: Resolver, name: string) =>
    (await resolver.resolveTxt(name)).map((strings) => strings.join("")),
  CNAME: (resolver: Resolver, name: string) => resolver.resolveCname(name),
  A: (resolver: Resolver, name: string) => resolver.resolve4(name),
  AAAA: (resolver: Resolver, name: string) => resolver.resolve6(name),
  CAA: async (resolver: Resolver, name: string) =>
    (await resolver.resolveCaa(name)).flatMap(({ critical, ...properties }) =>
      Object.entries(properties)
        // Node's own, that says what kind of record it is.
        .filter(([tag]) => tag !== "type")
        .map(([tag, value]) => `${String(critical)} ${tag} "${String(value)}"`),
    ),
  SOA: async (resolver: Resolver, name: string) => [
    String((await resolver.resolveSoa(name)).serial),
  ],
} as const;
export type Kind = keyof typeof questions;

/** What one server says. */
export interface Answer {
  readonly server: string;
  /** As text; empty when there are none; `undefined` when it does not answer. */
  readonly values: readonly string[] | undefined;
  readonly state: string;
}

/** Asks every server. */
export function answers(
  servers: readonly NameServer[],
  kind: Kind,
  name: string,
): Promise<Answer[]> {
  return Promise.all(
    servers.map(async (server) => ({
      server: server.name,
      ...(await askServer(server, kind, name)),
    })),
  );
}

/**
 * What servers have that differs from `wanted`, one text for all that say the
 * same. One that is silent says nothing of the records.
 */
export function deviations(
  found: readonly Answer[],
  kind: Kind,
  wanted: readonly string[],
): string[] {
  const right = [...wanted].sort().join();
  const wrong = found.filter(
    ({ values }) => values && [...values].sort().join() !== right,
  );
  const states = new Set(wrong.map(({ state }) => state));
  return [...states].map((state) => {
    const same = wrong.filter((answer) => answer.state === state);
    const names = same.map(({ server }) => server).join(", ");
    return `${names} ${state} as ${kind} instead of ${wanted.join(", ") || "none"}`;
  });
}

/**
 * Resolves when each server answers with every value as record of `name`.
 * @throws Error that names the servers that lag when the limit is over.
 */
export async function waitForRecord(
  servers: readonly NameServer[],
  kind: Kind,
  name: string,
  values: readonly string[],
  options: WaitOptions = {},
): Promise<void> {
  const { limit = 120_000, signal } = options;
  const deadline = Date.now() + limit;
  let waiting = servers;
  for (let pause = firstPause; ; pause = Math.min(pause * 2, longestPause)) {
    const rounds = await answers(waiting, kind, name);
    const lagging = rounds.filter(
      (answer) => !values.every((value) => answer.values?.includes(value)),
    );
    if (lagging.length === 0) return;
    if (Date.now() + pause > deadline) {
      const states = lagging.map(({ server, state }) => `${server} ${state}`);
      throw new Error(
        `After ${String(limit / 1000)} s not every name server has the new ${kind} record ${name}: ${states.join("; ")}`,
      );
    }
    const names = lagging.map(({ server }) => server);
    waiting = waiting.filter(({ name }) => names.includes(name));
    await sleep(pause, undefined, signal && { signal });
  }
}

/** The first address that answers at all speaks for its server. */
async function askServer(
  server: NameServer,
  kind: Kind,
  name: string,
): Promise<Pick<Answer, "values" | "state">> {
  let failure = "has no address";
  for (const address of server.addresses) {
    // A new one each time: a resolver may keep answers.
    const resolver = new Resolver({ timeout: 2_000, tries: 1 });
    resolver.setServers([address]);
    try {
      const values = await questions[kind](resolver, name);
      return { values, state: `answers ${values.join(", ")}` };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== undefined && absent.has(code)) {
        return { values: [], state: "answers that there is none" };
      }
      failure = `(${address}) does not answer: ${String(code)}`;
    }
  }
  return { values: undefined, state: failure };
}

async function withAddresses(name: string): Promise<NameServer> {
  const [ipv4, ipv6] = await Promise.all([
    unlessAbsent(resolve4(name), `A of ${name}`),
    unlessAbsent(resolve6(name), `AAAA of ${name}`),
  ]);
  return { name, addresses: [...ipv4, ...ipv6] };
}

async function unlessAbsent(
  query: Promise<string[]>,
  what: string,
): Promise<string[]> {
  try {
    return await query;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== undefined && absent.has(code)) return [];
    throw new Error(
      `The system's resolver cannot look up ${what}: ${String(code)}`,
      { cause: error },
    );
  }
}
