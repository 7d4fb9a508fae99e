/** What the lab's one authoritative server knows, and how it answers. Pure. */
import type { Answer, StringAnswer } from "dns-packet";

/** A record; `name` is lower case without the last dot, "" is the root. */
export interface ZoneRecord {
  readonly name: string;
  readonly type: RecordType;
  readonly ttl: number;
  readonly data: unknown;
}

export type RecordType =
  "A" | "AAAA" | "CNAME" | "TXT" | "CAA" | "NS" | "MX" | "SOA";

export interface Reply {
  readonly rcode: "NOERROR" | "NXDOMAIN";
  readonly answers: readonly ZoneRecord[];
  readonly authorities: readonly ZoneRecord[];
}

/** A CNAME may lead to another, but not for ever. */
const chainLimit = 8;

/**
 * Answers a question from the records (RFC 1034, 4.3.2; wildcards by RFC 4592).
 * @param records all records, with one SOA for each zone
 * @param name lower case, without the last dot
 */
export function answer(
  records: readonly ZoneRecord[],
  name: string,
  type: string,
): Reply {
  const answers: ZoneRecord[] = [];
  let target = name;
  for (let step = 0; step < chainLimit; step++) {
    const found = recordsAt(records, target);
    if (!found) {
      return { rcode: "NXDOMAIN", answers, authorities: soa(records, target) };
    }
    const matching = found.filter((record) => record.type === type);
    if (matching.length > 0) {
      return {
        rcode: "NOERROR",
        answers: [...answers, ...matching],
        authorities: [],
      };
    }
    const alias = found.find((record) => record.type === "CNAME");
    if (!alias) break;
    answers.push(alias);
    target = String(alias.data).toLowerCase().replace(/\.$/, "");
  }
  return { rcode: "NOERROR", answers, authorities: soa(records, target) };
}

/**
 * Records that a name has, made from a wildcard if need be; undefined when the
 * name does not exist. An empty list: it exists, as a name above others.
 */
function recordsAt(
  records: readonly ZoneRecord[],
  name: string,
): ZoneRecord[] | undefined {
  if (exists(records, name)) {
    return records.filter((record) => record.name === name);
  }
  // RFC 4592: only the wildcard right below the closest encloser counts.
  let encloser = parent(name);
  while (encloser !== "" && !exists(records, encloser)) {
    encloser = parent(encloser);
  }
  const wildcard = encloser === "" ? "*" : `*.${encloser}`;
  const source = records.filter((record) => record.name === wildcard);
  if (source.length === 0) return undefined;
  return source.map((record) => ({ ...record, name }));
}

/** A name exists when it has records, or when a name below it has. */
function exists(records: readonly ZoneRecord[], name: string): boolean {
  if (name === "") return true;
  return records.some(
    (record) => record.name === name || record.name.endsWith(`.${name}`),
  );
}

function parent(name: string): string {
  const dot = name.indexOf(".");
  return dot === -1 ? "" : name.slice(dot + 1);
}

/** The SOA of the zone that a name lies in. */
function soa(records: readonly ZoneRecord[], name: string): ZoneRecord[] {
  const [closest] = records
    .filter((record) => record.type === "SOA")
    .filter(
      (record) =>
        record.name === "" ||
        record.name === name ||
        name.endsWith(`.${record.name}`),
    )
    .sort((a, b) => b.name.length - a.name.length);
  return closest ? [closest] : [];
}

/** A record as it goes on the wire. */
export function wire(record: ZoneRecord): Answer {
  const name = record.name === "" ? "." : record.name;
  return { name, type: record.type, ttl: record.ttl, data: record.data } as
    StringAnswer | Answer;
}
