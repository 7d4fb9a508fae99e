/** TXT records through Cloudflare's API. */
import * as z from "zod";
import type { TxtRecords } from "./dns01.ts";
import { type Patience, patientFetch } from "./http.ts";

export interface CloudflareDnsArgs {
  /** Zone that the records are written in. */
  readonly zoneId: string;
  /** API token with Zone / DNS / Edit on that zone. */
  readonly token: string;
  /** For example `https://api.cloudflare.com/client/v4`. */
  readonly baseUrl: string;
  readonly patience?: Patience;
}

/** Tells our records from those of other ACME clients at the same name. */
const mark = "daytona-edge dns-01 challenge";
/** Cloudflare's shortest, in seconds; nobody caches it but the authority. */
const ttl = 60;

/** Error codes of the API that mean: it is already as it should be. */
const identicalRecordExists = 81058;
const recordDoesNotExist = 81044;

const envelope = z.looseObject({
  success: z.boolean(),
  errors: z
    .array(z.looseObject({ code: z.number(), message: z.string() }))
    .default([]),
  result: z.unknown(),
});

const recordList = z.array(
  z.looseObject({
    id: z.string(),
    type: z.string(),
    name: z.string(),
    content: z.string(),
    comment: z.string().nullish(),
  }),
);

/** Cloudflare refuses, in its own words. */
export class CloudflareError extends Error {
  override readonly name = "CloudflareError";
  readonly status: number;
  readonly codes: readonly number[];

  constructor(
    asked: string,
    status: number,
    errors: z.infer<typeof envelope>["errors"],
  ) {
    const words = errors
      .map(({ code, message }) => `${message} (${String(code)})`)
      .join("; ");
    const fix =
      status === 401 || status === 403
        ? "; CLOUDFLARE_API_TOKEN needs Zone / DNS / Edit on this zone"
        : "";
    super(
      `Cloudflare refused to ${asked}: ${words || "no reason given"}, HTTP ${String(status)}${fix}`,
    );
    this.status = status;
    this.codes = errors.map(({ code }) => code);
  }
}

export function cloudflareTxtRecords(args: CloudflareDnsArgs): TxtRecords {
  const { zoneId, token, baseUrl, patience } = args;
  const records = `${baseUrl.replace(/\/$/, "")}/zones/${zoneId}/dns_records`;

  async function call(
    asked: string,
    url: string,
    init: RequestInit,
    accepted?: number,
  ): Promise<unknown> {
    const headers = {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
    };
    const response = await patientFetch(
      url,
      () => ({ ...init, headers }),
      patience,
    );
    const body = envelope.safeParse(
      await response.json().catch(() => undefined),
    );
    if (response.ok && body.success && body.data.success) {
      return body.data.result;
    }
    const errors = body.success ? body.data.errors : [];
    if (errors.some(({ code }) => code === accepted)) return undefined;
    throw new CloudflareError(asked, response.status, errors);
  }

  async function ours(name: string) {
    const query = new URLSearchParams({
      type: "TXT",
      "name.exact": name,
      "comment.exact": mark,
      per_page: "100",
    });
    const answer = await call(
      `list the TXT records of ${name}`,
      `${records}?${query.toString()}`,
      { method: "GET" },
    );
    return recordList
      .parse(answer)
      .filter(
        (record) =>
          record.type === "TXT" &&
          record.name === name &&
          record.comment === mark,
      );
  }

  return {
    async set(name, values) {
      const present = await ours(name);
      for (const { id, content } of present) {
        if (values.includes(unquoted(content))) continue;
        await call(
          `delete a TXT record of ${name}`,
          `${records}/${id}`,
          { method: "DELETE" },
          recordDoesNotExist,
        );
      }
      const kept = present.map(({ content }) => unquoted(content));
      for (const value of values.filter((value) => !kept.includes(value))) {
        const record = {
          type: "TXT",
          name,
          content: `"${value}"`,
          ttl,
          comment: mark,
        };
        await call(
          `create a TXT record for ${name}`,
          records,
          { method: "POST", body: JSON.stringify(record) },
          identicalRecordExists,
        );
      }
    },
  };
}

/** The API gives TXT content back as it was given: in quotes or without. */
function unquoted(content: string): string {
  return content.replace(/^"(.*)"$/, "$1");
}
