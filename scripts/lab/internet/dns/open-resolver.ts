/** A resolver for anyone, as 1.1.1.1 and 8.8.8.8 are. Pure. */
import type { Zone, ResourceRecord } from "./zone.ts";
import { type Reply, authoritativeReply, rcode, zoneOf } from "./reply.ts";

export interface StrayAnswer {
  readonly ipv4: string;
  readonly ipv6: string;
  readonly text: string;
}

/** In seconds; short, for it is untrue. */
const strayTtl = 30;

/**
 * Resolves everything that the lab has. Any other name gets a fixed answer
 * instead of a denial, so that who reaches this resolver notices.
 * @param zones all zones of the lab, the root among them
 */
export function openReply(
  zones: readonly Zone[],
  stray: StrayAnswer,
  name: string,
  type: string,
): Reply {
  const reply = authoritativeReply(zones, name, type);
  const isUnknown =
    reply.rcode === rcode.nameError && zoneOf(zones, name)?.origin === "";
  if (!isUnknown) return { ...reply, authoritative: false };
  return {
    rcode: rcode.noError,
    authoritative: false,
    answers: strayRecords(stray, name).filter((it) => it.type === type),
    authorities: [],
    additionals: [],
  };
}

function strayRecords(stray: StrayAnswer, name: string): ResourceRecord[] {
  const ttl = strayTtl;
  return [
    { type: "A", name, ttl, data: stray.ipv4 },
    { type: "AAAA", name, ttl, data: stray.ipv6 },
    { type: "TXT", name, ttl, data: [stray.text] },
  ];
}
