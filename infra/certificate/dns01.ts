/** How control of a name is proven. dns-01 (RFC 8555, 8.4): a TXT record. */
import { createHash } from "node:crypto";

/** One name to prove control of. */
export interface ChallengeTask {
  /** The name without a wildcard's `*.`. */
  readonly domain: string;
  /** RFC 8555, 8.1. */
  readonly keyAuthorization: string;
}

/** A way to prove control of names; all that the issuing code knows of it. */
export interface Challenge {
  /** Name of the challenge in ACME, for example `dns-01`. */
  readonly type: string;
  /**
   * Runs `work` while the authority can see the proofs, and takes them away
   * afterwards, whatever happens.
   */
  during<T>(
    tasks: readonly ChallengeTask[],
    work: () => Promise<T>,
  ): Promise<T>;
  /** Takes away what an earlier run, killed, has left for these names. */
  sweep(domains: readonly string[]): Promise<void>;
}

/** TXT records at a DNS provider. */
export interface TxtRecords {
  /**
   * Makes the records that this program keeps at `name` exactly these; those
   * of others stay.
   */
  set(name: string, values: readonly string[]): Promise<void>;
}

export interface Dns01Args {
  readonly records: TxtRecords;
  /**
   * Where the names of the challenges lead by CNAME, if they do: a zone of its
   * own lets the token that writes there be good for nothing else.
   */
  readonly alias?: string | undefined;
  /** Resolves when every authoritative server answers with these values. */
  readonly visible: (name: string, values: readonly string[]) => Promise<void>;
  readonly log: (line: string) => void;
}

export function dns01(args: Dns01Args): Challenge {
  const { records, alias, visible, log } = args;
  const nameFor = (domain: string) => alias ?? challengeName(domain);
  const clear = async (names: Iterable<string>) => {
    for (const name of names) await records.set(name, []);
  };
  return {
    type: "dns-01",
    async during(tasks, work) {
      const wanted = recordsOf(tasks, nameFor);
      try {
        for (const [name, values] of wanted) await records.set(name, values);
        for (const [name, values] of wanted) {
          log(`waiting for ${name} on every name server`);
          await visible(name, values);
        }
        return await work();
      } finally {
        // What stays behind is harmless, and the next run sweeps it.
        await clear(wanted.keys()).catch((error: unknown) => {
          log(`could not take the challenge records away: ${String(error)}`);
        });
      }
    },
    async sweep(domains) {
      await clear(new Set(domains.map(nameFor)));
    },
  };
}

/** A wildcard and its base name share one record name and need two values. */
function recordsOf(
  tasks: readonly ChallengeTask[],
  nameFor: (domain: string) => string,
): ReadonlyMap<string, string[]> {
  const records = new Map<string, string[]>();
  for (const { domain, keyAuthorization } of tasks) {
    const name = nameFor(domain);
    const value = createHash("sha256")
      .update(keyAuthorization)
      .digest("base64url");
    records.set(name, [...(records.get(name) ?? []), value]);
  }
  return records;
}

/** RFC 8555, 8.4: a wildcard's is its base name's. */
export function challengeName(name: string): string {
  return `_acme-challenge.${name.replace(/^\*\./, "")}`;
}
