/** The DNS records of Cloudflare's stand-in: storage, and what it refuses. */
import { randomBytes } from "node:crypto";
import { z } from "zod";
import type { ZoneRecord } from "../dns/zone.ts";

const caaData = z.object({
  flags: z.int().min(0).max(255),
  tag: z.enum(["issue", "issuewild", "iodef"]),
  value: z.string(),
});

const recordBody = z.object({
  type: z.enum(["A", "AAAA", "CNAME", "TXT", "CAA", "NS", "MX"]),
  name: z.string().min(1).max(255),
  content: z.string().optional(),
  data: caaData.optional(),
  ttl: z.int().default(1),
  proxied: z.boolean().default(false),
  priority: z.int().optional(),
  comment: z.string().nullish(),
  tags: z.array(z.string()).default([]),
});

type RecordBody = z.infer<typeof recordBody>;

export interface StoredRecord extends RecordBody {
  readonly id: string;
  readonly content: string;
  readonly created_on: string;
  readonly modified_on: string;
  readonly proxiable: boolean;
}

/** A refusal, with Cloudflare's own code and status. */
export class CloudflareRefusal extends Error {
  readonly status: 400 | 403 | 404;
  readonly code: number;

  constructor(status: 400 | 403 | 404, code: number, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** The records of one zone. */
export class RecordStore {
  readonly #zone: string;
  readonly #records = new Map<string, StoredRecord>();

  constructor(zone: string) {
    this.#zone = zone;
  }

  /** All records, oldest first. */
  list(): StoredRecord[] {
    return [...this.#records.values()];
  }

  /** @throws CloudflareRefusal 81044 */
  get(id: string): StoredRecord {
    const record = this.#records.get(id);
    if (!record) {
      throw new CloudflareRefusal(404, 81044, "Record does not exist.");
    }
    return record;
  }

  /** @throws CloudflareRefusal */
  create(body: unknown): StoredRecord {
    const now = new Date().toISOString();
    const record: StoredRecord = {
      ...this.#checked(body),
      id: randomBytes(16).toString("hex"),
      created_on: now,
      modified_on: now,
    };
    this.#refuseConflicts(record);
    this.#records.set(record.id, record);
    return record;
  }

  /** Replaces a record, or with `keep` only what the body names. @throws CloudflareRefusal */
  change(id: string, body: unknown, keep: boolean): StoredRecord {
    const before = this.get(id);
    const merged = keep ? { ...before, ...(body as object) } : body;
    const record: StoredRecord = {
      ...this.#checked(merged),
      id,
      created_on: before.created_on,
      modified_on: new Date().toISOString(),
    };
    this.#refuseConflicts(record);
    this.#records.set(id, record);
    return record;
  }

  /** @throws CloudflareRefusal 81044 */
  remove(id: string): void {
    this.get(id);
    this.#records.delete(id);
  }

  #checked(
    body: unknown,
  ): Omit<StoredRecord, "id" | "created_on" | "modified_on"> {
    const parsed = recordBody.safeParse(body);
    if (!parsed.success) {
      const reasons = parsed.error.issues.map(
        (issue) => `${issue.path.join(".")}: ${issue.message}`,
      );
      throw new CloudflareRefusal(
        400,
        9207,
        `Request body is invalid. ${reasons.join("; ")}`,
      );
    }
    const { data, ...record } = parsed.data;
    if (record.ttl !== 1 && (record.ttl < 60 || record.ttl > 86_400)) {
      throw new CloudflareRefusal(
        400,
        9021,
        "Invalid TTL. Must be between 60 and 86400 seconds, or 1 for Automatic.",
      );
    }
    const name = record.name.toLowerCase().replace(/\.$/, "");
    const isInside = name === this.#zone || name.endsWith(`.${this.#zone}`);
    return {
      ...record,
      name: isInside ? name : `${name}.${this.#zone}`,
      content: contentOf(record.type, record.content, data),
      ...(data ? { data } : {}),
      proxiable: ["A", "AAAA", "CNAME"].includes(record.type),
    };
  }

  #refuseConflicts(record: StoredRecord): void {
    const others = this.list().filter(
      (other) => other.name === record.name && other.id !== record.id,
    );
    const isSame = (other: StoredRecord) =>
      other.type === record.type && other.content === record.content;
    if (others.some(isSame)) {
      throw new CloudflareRefusal(
        400,
        81058,
        "An identical record already exists.",
      );
    }
    const hosts = ["A", "AAAA", "CNAME"];
    const conflicts = (other: StoredRecord) =>
      hosts.includes(other.type) &&
      hosts.includes(record.type) &&
      (other.type === "CNAME" || record.type === "CNAME");
    if (others.some(conflicts)) {
      throw new CloudflareRefusal(
        400,
        81053,
        "An A, AAAA, or CNAME record with that host already exists.",
      );
    }
  }
}

function contentOf(
  type: RecordBody["type"],
  content: string | undefined,
  data: RecordBody["data"],
): string {
  if (type === "CAA") {
    if (!data) {
      throw new CloudflareRefusal(400, 9101, "CAA needs data.");
    }
    return `${String(data.flags)} ${data.tag} "${data.value}"`;
  }
  const patterns = {
    A: /^\d{1,3}(\.\d{1,3}){3}$/,
    AAAA: /^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*$/,
    CNAME: /^[^\s]+$/,
    TXT: /^[^]+$/,
    NS: /^[^\s]+$/,
    MX: /^[^\s]+$/,
  };
  if (content === undefined || !patterns[type].test(content)) {
    throw new CloudflareRefusal(
      400,
      9005,
      `Content for ${type} record is invalid.`,
    );
  }
  return content;
}

/** A stored record as the name servers answer it. */
export function zoneRecord(record: StoredRecord): ZoneRecord {
  const { name, type } = record;
  const ttl = record.ttl === 1 ? 300 : record.ttl;
  return { name, type, ttl, data: dataOf(record) };
}

function dataOf({ type, content, data, priority }: StoredRecord): unknown {
  if (type === "CAA" && data) {
    return { flags: data.flags, tag: data.tag, value: data.value };
  }
  if (type === "MX") return { preference: priority ?? 10, exchange: content };
  if (type !== "TXT") return content;
  // Cloudflare takes the text with its quotes or without; DNS has none. A
  // string of DNS is 255 bytes at most.
  const text = /^"[^]*"$/.test(content)
    ? [...content.matchAll(/"((?:[^"\\]|\\.)*)"/g)]
        .map(([, part]) => part)
        .join("")
    : content;
  return text.match(/[^]{1,255}/g) ?? [""];
}
