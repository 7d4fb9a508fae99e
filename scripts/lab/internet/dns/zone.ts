/** One zone's records and what they say of a name. Pure. */
import type { Answer, OptAnswer, SoaAnswer } from "dns-packet";
import {
  canonicalName,
  isAtOrBelow,
  parentName,
  wildcardBelow,
} from "./name.ts";

/** A record on the wire; in a zone its name is canonical. */
export type ResourceRecord = Exclude<Answer, OptAnswer>;

export type Finding =
  | { readonly kind: "answer"; readonly records: readonly ResourceRecord[] }
  /** The name is another name for `target`. */
  | {
      readonly kind: "alias";
      readonly record: ResourceRecord;
      readonly target: string;
    }
  /** The name lies in a zone that others serve. */
  | { readonly kind: "referral"; readonly records: readonly ResourceRecord[] }
  /** The name exists, but has nothing of this type. */
  | { readonly kind: "nodata" }
  | { readonly kind: "nxdomain" };

/** A version of a zone; never changes. */
export class Zone {
  readonly origin: string;
  readonly soa: SoaAnswer;
  /** Names with records, and empty ones on the way to them (RFC 4592, 2.2.2). */
  readonly #nodes = new Map<string, ResourceRecord[]>();

  /** @throws Error for a record outside the zone. */
  constructor(soa: SoaAnswer, records: readonly ResourceRecord[]) {
    this.origin = canonicalName(soa.name);
    this.soa = soa;
    for (const record of [soa, ...records]) {
      const name = canonicalName(record.name);
      if (!isAtOrBelow(name, this.origin)) {
        throw new Error(`${name} is not in the zone ${this.origin}`);
      }
      this.#node(name).push({ ...record, name });
    }
  }

  /**
   * RFC 1034, 4.3.2, with the wildcards of RFC 4592.
   * @param name canonical, in this zone
   * @param type as dns-packet calls it, for example `AAAA`
   */
  lookup(name: string, type: string): Finding {
    const cut = this.#zoneCutAbove(name);
    if (cut) return { kind: "referral", records: cut };
    const node = this.#nodes.get(name);
    if (node) return findingOf(node, type);
    const source = this.#nodes.get(wildcardBelow(this.#closestEncloser(name)));
    if (!source) return { kind: "nxdomain" };
    return findingOf(
      source.map((record) => ({ ...record, name })),
      type,
    );
  }

  /** Records of exactly this name, wherever it lies; for glue. */
  recordsAt(name: string, type: string): readonly ResourceRecord[] {
    return (this.#nodes.get(name) ?? []).filter((it) => it.type === type);
  }

  #node(name: string): ResourceRecord[] {
    const present = this.#nodes.get(name);
    if (present) return present;
    const node: ResourceRecord[] = [];
    this.#nodes.set(name, node);
    const parent = parentName(name);
    if (name !== this.origin && parent !== undefined) this.#node(parent);
    return node;
  }

  /** NS records of the highest delegation at or above a name. */
  #zoneCutAbove(name: string): readonly ResourceRecord[] | undefined {
    let cut: readonly ResourceRecord[] | undefined;
    for (
      let at: string | undefined = name;
      at !== undefined && at !== this.origin;
      at = parentName(at)
    ) {
      const delegation = this.recordsAt(at, "NS");
      if (delegation.length > 0) cut = delegation;
    }
    return cut;
  }

  #closestEncloser(name: string): string {
    let encloser = name;
    while (encloser !== this.origin && !this.#nodes.has(encloser)) {
      encloser = parentName(encloser) ?? this.origin;
    }
    return encloser;
  }
}

function findingOf(node: readonly ResourceRecord[], type: string): Finding {
  const records = node.filter((record) => record.type === type);
  if (records.length > 0) return { kind: "answer", records };
  for (const record of node) {
    if (record.type !== "CNAME") continue;
    return { kind: "alias", record, target: canonicalName(record.data) };
  }
  return { kind: "nodata" };
}
