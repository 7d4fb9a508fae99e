/** A DNS record as Cloudflare's API shows it, and as it may be asked for. */
import { isIPv4, isIPv6 } from "node:net";
import * as z from "zod";
import { characterStrings } from "./character-strings.ts";
import { CloudflareRefusal, invalidRecord } from "./refusal.ts";

const caaData = z.object({
  flags: z.int().min(0).max(255),
  tag: z.enum(["issue", "issuewild", "iodef"]),
  value: z.string().min(1),
});

/** What a client may say; the rest it sends is the API's own and ignored. */
const recordInput = z.object({
  type: z.enum(["A", "AAAA", "CNAME", "TXT", "CAA", "NS"]),
  name: z.string(),
  content: z.string().optional(),
  data: z.record(z.string(), z.unknown()).optional(),
  ttl: z.number().default(1),
  proxied: z.boolean().default(false),
  comment: z.string().max(500).nullish(),
  tags: z.array(z.string()).default([]),
  settings: z.record(z.string(), z.unknown()).default({}),
});

type RecordInput = z.infer<typeof recordInput>;

/** What a record is, apart from its identity. */
export interface RecordBody {
  readonly name: string;
  readonly type: RecordInput["type"];
  readonly content: string;
  readonly proxiable: boolean;
  readonly proxied: boolean;
  /** In seconds; 1 leaves it to Cloudflare. */
  readonly ttl: number;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly comment: string | null;
  readonly tags: readonly string[];
  readonly data?: z.infer<typeof caaData>;
}

export interface DnsRecord extends RecordBody {
  readonly id: string;
  readonly meta: Readonly<Record<string, unknown>>;
  readonly created_on: string;
  readonly modified_on: string;
}

/** Longest text of a record on the wire, in bytes (error 9015). */
const longestText = 4096;

const label = /^(?:\*|[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)$/;
/** What Cloudflare's proxy cannot reach. */
const privateAddress =
  /^(?:10\.|127\.|169\.254\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|f[cd]|fe80:|::1$)/i;

/**
 * Checks what a client wants a record to be.
 * @param zone name of the zone; names outside are taken as below it
 * @throws CloudflareRefusal with the code that the real API gives
 */
export function recordBody(input: unknown, zone: string): RecordBody {
  const parsed = recordInput.safeParse(input);
  if (!parsed.success) throw invalidRecord(9207, "Request body is invalid.");
  const { type, proxied, comment, tags, settings } = parsed.data;
  const name = fullName(parsed.data.name, zone);
  const value = valueOf(parsed.data, name);
  if (type === "CNAME" && name === zone) {
    // The real API takes it and answers with the target's addresses.
    throw invalidRecord(9207, "This stand-in does not flatten CNAME records.");
  }
  const proxiable =
    ["A", "AAAA", "CNAME"].includes(type) &&
    !(type !== "CNAME" && privateAddress.test(value.content));
  if (proxied) requireProxiable(type, value.content, proxiable);
  return {
    name,
    type,
    ...value,
    proxiable,
    proxied,
    ttl: proxied ? 1 : checkedTtl(parsed.data.ttl),
    settings,
    comment: comment ?? null,
    tags,
  };
}

/** @throws CloudflareRefusal 9000 */
function fullName(given: string, zone: string): string {
  const name = given.toLowerCase().replace(/\.$/, "");
  const isInside = name === zone || name.endsWith(`.${zone}`);
  const full = name === "@" ? zone : isInside ? name : `${name}.${zone}`;
  const labels = full.split(".");
  const isValid =
    name !== "" &&
    full.length <= 253 &&
    labels.every((it, index) => label.test(it) && (it !== "*" || index === 0));
  if (!isValid) throw invalidRecord(9000, "DNS name is invalid.");
  return full;
}

function valueOf(
  input: RecordInput,
  name: string,
): Pick<RecordBody, "content" | "data"> {
  const { type } = input;
  if (type === "CAA") return caaValue(input.data);
  const content = input.content?.trim() ?? "";
  switch (type) {
    case "A":
      if (isIPv4(content)) return { content };
      throw invalidRecord(
        9005,
        "Content for A record must be a valid IPv4 address.",
      );
    case "AAAA":
      if (isIPv6(content)) return { content: content.toLowerCase() };
      throw invalidRecord(
        9006,
        "Content for AAAA record must be a valid IPv6 address.",
      );
    case "CNAME":
    case "NS": {
      const target = content.toLowerCase().replace(/\.$/, "");
      if (target !== name && isHostName(target)) return { content: target };
      throw invalidRecord(9007, `Content for ${type} record is invalid.`);
    }
    case "TXT":
      return { content: checkedText(content) };
  }
}

/** Only in parts: its text alone is refused. */
function caaValue(
  data: RecordInput["data"],
): Pick<RecordBody, "content" | "data"> {
  for (const field of ["flags", "tag", "value"]) {
    if (data?.[field] === undefined) {
      throw invalidRecord(9101, `${field} is a required data field.`);
    }
  }
  const parsed = caaData.safeParse(data);
  if (!parsed.success) throw invalidRecord(9207, "Request body is invalid.");
  const { flags, tag, value } = parsed.data;
  return {
    content: `${String(flags)} ${tag} "${value}"`,
    data: { flags, tag, value },
  };
}

function checkedText(content: string): string {
  const strings = content === "" ? undefined : characterStrings(content);
  if (!strings) {
    throw invalidRecord(9207, "Content for TXT record is invalid.");
  }
  const size = strings.reduce((sum, { length }) => sum + length + 1, 0);
  if (size > longestText) {
    throw invalidRecord(
      9015,
      "Record content exceeds the allowed length of 4096 wire format bytes.",
    );
  }
  return content;
}

function isHostName(name: string): boolean {
  return name.length <= 253 && name.split(".").every((it) => label.test(it));
}

function checkedTtl(ttl: number): number {
  const isValid =
    ttl === 1 || (Number.isInteger(ttl) && ttl >= 60 && ttl <= 86_400);
  if (isValid) return ttl;
  throw new CloudflareRefusal(400, 1004, "DNS Validation Error", [
    {
      code: 9021,
      message: "TTL must be between 60 and 86400 seconds, or 1 for Automatic.",
    },
  ]);
}

function requireProxiable(
  type: RecordInput["type"],
  content: string,
  proxiable: boolean,
): void {
  if (!["A", "AAAA", "CNAME"].includes(type)) {
    throw invalidRecord(9004, "This record type cannot be proxied.");
  }
  if (!proxiable) {
    throw invalidRecord(
      9003,
      `Target ${content} is not allowed for a proxied record.`,
    );
  }
}
