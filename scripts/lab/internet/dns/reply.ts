/** From zones to the sections of an answer. Pure. */
import { canonicalName, isAtOrBelow } from "./name.ts";
import type { ResourceRecord, Zone } from "./zone.ts";

export const rcode = {
  noError: 0,
  formatError: 1,
  nameError: 3,
  notImplemented: 4,
  refused: 5,
} as const;

export interface Reply {
  readonly rcode: number;
  readonly authoritative: boolean;
  readonly answers: readonly ResourceRecord[];
  readonly authorities: readonly ResourceRecord[];
  readonly additionals: readonly ResourceRecord[];
}

/** Answers a question, in the canonical form of its name. */
export type Resolve = (name: string, type: string) => Reply;

export const refusal: Reply = {
  rcode: rcode.refused,
  authoritative: false,
  answers: [],
  authorities: [],
  additionals: [],
};

/** An alias may lead to another, but not for ever. */
const longestChain = 8;

/**
 * What a server of these zones answers. Aliases are followed through all of
 * them (RFC 6604: the code is the last name's).
 */
export function authoritativeReply(
  zones: readonly Zone[],
  name: string,
  type: string,
): Reply {
  // RFC 8482: a question for everything gets as little as there can be.
  if (type === "ANY" && zoneOf(zones, name)) return minimalAny(name);
  const answers: ResourceRecord[] = [];
  let target = name;
  while (answers.length < longestChain) {
    const zone = zoneOf(zones, target);
    if (!zone) return answers.length > 0 ? reply({ answers }) : refusal;
    const finding = zone.lookup(target, type);
    switch (finding.kind) {
      case "answer":
        return reply({
          answers: [...answers, ...finding.records],
          additionals: glue(zones, finding.records),
        });
      case "referral":
        return reply({
          answers,
          authoritative: answers.length > 0,
          authorities: finding.records,
          additionals: glue(zones, finding.records),
        });
      case "alias":
        answers.push(finding.record);
        target = finding.target;
        continue;
      case "nodata":
        return reply({ answers, authorities: [negativeSoa(zone)] });
      case "nxdomain":
        return reply({
          rcode: rcode.nameError,
          answers,
          authorities: [negativeSoa(zone)],
        });
    }
  }
  return reply({ answers });
}

/** The zone closest above a name. */
export function zoneOf(zones: readonly Zone[], name: string): Zone | undefined {
  return zones
    .filter(({ origin }) => isAtOrBelow(name, origin))
    .sort((a, b) => b.origin.length - a.origin.length)[0];
}

function reply(parts: Partial<Reply>): Reply {
  return {
    rcode: rcode.noError,
    authoritative: true,
    answers: [],
    authorities: [],
    additionals: [],
    ...parts,
  };
}

function minimalAny(name: string): Reply {
  return reply({
    answers: [
      { type: "HINFO", name, ttl: 3789, data: { cpu: "RFC8482", os: "" } },
    ],
  });
}

/** RFC 2308, 3: the time to keep a denial is the lesser of the two. */
function negativeSoa({ soa }: Zone): ResourceRecord {
  return { ...soa, ttl: Math.min(soa.ttl ?? 0, soa.data.minimum ?? 0) };
}

/** Addresses of the name servers among some records. */
function glue(
  zones: readonly Zone[],
  records: readonly ResourceRecord[],
): ResourceRecord[] {
  return records.flatMap((record) => {
    if (record.type !== "NS") return [];
    const server = canonicalName(record.data);
    const zone = zoneOf(zones, server);
    if (!zone) return [];
    return ["A", "AAAA"].flatMap((type) => zone.recordsAt(server, type));
  });
}
