/** The records of the one zone: kept on disk, and what does not go together. */
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { characterStrings } from "./character-strings.ts";
import { type DnsRecord, type RecordBody, recordBody } from "./record.ts";
import { CloudflareRefusal, invalidRecord } from "./refusal.ts";

export interface RecordStoreArgs {
  /** Name of the zone. */
  readonly zone: string;
  /** JSON file that holds the records over a restart of the machine. */
  readonly file: string;
  /** Told all records after each change. */
  readonly onChange: (records: readonly DnsRecord[]) => void;
}

const addressTypes: readonly string[] = ["A", "AAAA", "CNAME"];
const sameNameHelp =
  "For more details, refer to <https://developers.cloudflare.com/dns/manage-dns-records/troubleshooting/records-with-same-name/>.";

export class RecordStore {
  readonly #args: RecordStoreArgs;
  readonly #records: Map<string, DnsRecord>;

  constructor(args: RecordStoreArgs) {
    this.#args = args;
    const kept = existsSync(args.file)
      ? (JSON.parse(readFileSync(args.file, "utf8")) as DnsRecord[])
      : [];
    this.#records = new Map(kept.map((record) => [record.id, record]));
  }

  /** Oldest first. */
  list(): readonly DnsRecord[] {
    return [...this.#records.values()];
  }

  /** @throws CloudflareRefusal 81044 */
  get(id: string): DnsRecord {
    const record = this.#records.get(id);
    if (record) return record;
    throw new CloudflareRefusal(404, 81044, "Record does not exist.");
  }

  /** @throws CloudflareRefusal */
  create(input: unknown): DnsRecord {
    const now = new Date().toISOString();
    return this.#keep({
      id: randomBytes(16).toString("hex"),
      ...recordBody(input, this.#args.zone),
      meta: {},
      created_on: now,
      modified_on: now,
    });
  }

  /** PUT: the record is what the input says. @throws CloudflareRefusal */
  replace(id: string, input: unknown): DnsRecord {
    const { meta, created_on } = this.get(id);
    return this.#keep({
      id,
      ...recordBody(input, this.#args.zone),
      meta,
      created_on,
      modified_on: new Date().toISOString(),
    });
  }

  /** PATCH: what the input does not name stays. @throws CloudflareRefusal */
  change(id: string, input: unknown): DnsRecord {
    if (typeof input !== "object" || input === null) {
      throw invalidRecord(9207, "Request body is invalid.");
    }
    return this.replace(id, { ...this.get(id), ...input });
  }

  /** @throws CloudflareRefusal 81044 */
  remove(id: string): void {
    this.get(id);
    this.#records.delete(id);
    this.#changed();
  }

  #keep(record: DnsRecord): DnsRecord {
    const others = this.list().filter(
      ({ id, name }) => id !== record.id && name === record.name,
    );
    refuseConflict(record, others, this.#args.zone);
    this.#records.set(record.id, record);
    this.#changed();
    return record;
  }

  #changed(): void {
    const { file, onChange } = this.#args;
    writeFileSync(`${file}.new`, JSON.stringify(this.list(), undefined, 2));
    renameSync(`${file}.new`, file);
    onChange(this.list());
  }
}

/**
 * What cannot stand at one name.
 * @param others records of the same name
 * @throws CloudflareRefusal
 */
function refuseConflict(
  record: RecordBody,
  others: readonly RecordBody[],
  zone: string,
): void {
  const has = (...types: readonly string[]) =>
    others.some(({ type }) => types.includes(type));
  if (others.some((other) => identity(other) === identity(record))) {
    throw invalidRecord(81058, "An identical record already exists.");
  }
  if (record.type === "CNAME" && has(...addressTypes)) {
    throw invalidRecord(
      81053,
      `An A, AAAA, or CNAME record with that host already exists. ${sameNameHelp}`,
    );
  }
  if (addressTypes.includes(record.type) && has("CNAME")) {
    throw invalidRecord(
      81054,
      `A CNAME record with that host already exists. ${sameNameHelp}`,
    );
  }
  const isDelegated = record.name !== zone && has("NS");
  if (addressTypes.includes(record.type) && isDelegated) {
    throw invalidRecord(
      81056,
      `NS records with that host already exist. ${sameNameHelp}`,
    );
  }
}

/** Text is the same with quotes or without. */
function identity({ type, content }: RecordBody): string {
  if (type !== "TXT") return `${type} ${content}`;
  const strings = characterStrings(content) ?? [];
  return `${type} ${strings.map((it) => it.toString("hex")).join()}`;
}
