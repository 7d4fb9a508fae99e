/** dns-01 at Cloudflare, visible to the authority before it is told to look. */
import { cloudflareTxtRecords } from "./cloudflare-dns.ts";
import { type Challenge, challengeName, dns01 } from "./dns01.ts";
import { findZone, waitForRecord } from "./name-servers.ts";

export interface CloudflareChallengeArgs {
  /** Names of the certificate. */
  readonly names: readonly string[];
  /** Cloudflare zone with the names, or with the alias. */
  readonly zoneId: string;
  /** Token with Zone / DNS / Edit on that zone. */
  readonly token: string;
  /** Address of Cloudflare's API. */
  readonly baseUrl: string;
  /** Name that `_acme-challenge` of the names leads to by CNAME, if it does. */
  readonly alias?: string | undefined;
  readonly log: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Its waits ask every authoritative name server of the challenge's zone. */
export function cloudflareChallenge(args: CloudflareChallengeArgs): Challenge {
  const { names, alias, log, signal } = args;
  return dns01({
    records: cloudflareTxtRecords(args),
    alias,
    visible: async (name, values) => {
      const { servers } = await findZone(name);
      await waitForRecord(servers, "TXT", name, values, { signal });
      if (alias !== undefined) await waitForAlias(names, alias, signal);
    },
    log,
  });
}

/** The authority comes by the names' own zone, which may be new there too. */
async function waitForAlias(
  names: readonly string[],
  alias: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const name of new Set(names.map(challengeName))) {
    const { servers } = await findZone(name);
    await waitForRecord(servers, "CNAME", name, [alias], { signal });
  }
}
