/**
 * Stand-in of the `cloudflare` provider: calls Cloudflare's API by HTTP. What it
 * checks and when, what it says and what a refresh reads are as in version 6.22.
 */
import { type Properties, pick } from "./properties.ts";
import type { Context, ResourceType } from "./server.ts";

interface Envelope {
  readonly success: boolean;
  readonly errors: readonly { code: number; message: string }[];
  readonly result: { id: string } & Properties;
}

/** What the API takes of a record; everything else is the provider's own. */
const recordFields = [
  "name",
  "type",
  "content",
  "data",
  "ttl",
  "proxied",
  "priority",
  "comment",
  "tags",
];

const computed = ["id", "createdOn", "modifiedOn", "proxiable"];

/** What somebody may change at Cloudflare, and a refresh brings here. */
const refreshed = ["content", "data", "ttl", "proxied", "priority", "comment"];

export const cloudflareTypes: Record<string, ResourceType> = {
  "cloudflare:index/dnsRecord:DnsRecord": {
    computed,
    replaceOn: ["zoneId", "type"],
    check: (inputs) =>
      ["zoneId", "name", "type", "ttl"]
        .filter((property) => inputs[property] === undefined)
        .map((property) => ({ property, reason: `${property} is missing` })),
    create: async (inputs, context) => {
      // The plugin's preview passes, and so does this one.
      if (inputs.proxied === true && inputs.ttl !== 1) {
        throw new Error("ttl must be set to 1 when `proxied` is true");
      }
      const result = await call(context, "POST", records(inputs), inputs);
      return { id: result.id, outputs: outputsOf(result) };
    },
    update: async ({ id, inputs }, context) =>
      outputsOf(await call(context, "PUT", `${records(inputs)}/${id}`, inputs)),
    delete: async ({ id, state }, context) => {
      await call(context, "DELETE", `${records(state)}/${id}`);
    },
    read: async ({ id, state }, context) => {
      try {
        const path = `${records(state)}/${id}`;
        const record = await call(context, "GET", path);
        return {
          ...outputsOf(record),
          ...pick(
            record,
            refreshed.filter((field) => field in state),
          ),
        };
      } catch (error) {
        if (error instanceof CloudflareError && error.isMissing)
          return undefined;
        throw error;
      }
    },
  },
};

class CloudflareError extends Error {
  /** Cloudflare's 81044: the record does not exist. */
  readonly isMissing: boolean;

  constructor(message: string, codes: readonly number[]) {
    super(message);
    this.isMissing = codes.includes(81044);
  }
}

function records(properties: Properties): string {
  return `/zones/${String(properties.zoneId)}/dns_records`;
}

function outputsOf(result: Properties): Properties {
  return {
    id: result.id,
    createdOn: result.created_on,
    modifiedOn: result.modified_on,
    proxiable: result.proxiable,
  };
}

async function call(
  { configuration }: Context,
  method: string,
  path: string,
  record?: Properties,
): Promise<Envelope["result"]> {
  const base = text(configuration.baseUrl, "CLOUDFLARE_BASE_URL");
  const token = text(configuration.apiToken, "CLOUDFLARE_API_TOKEN");
  if (!token) {
    throw new Error(
      "cloudflare:apiToken is missing; set it with: pulumi config set --secret cloudflare:apiToken, or in CLOUDFLARE_API_TOKEN",
    );
  }
  if (
    typeof configuration.apiToken === "string" &&
    !/[\w-]{40}/.test(configuration.apiToken)
  ) {
    throw new Error(
      "API tokens must only contain characters a-z, A-Z, 0-9, hyphens and underscores",
    );
  }
  const url = `${(base || "https://api.cloudflare.com/client/v4").replace(/\/$/, "")}${path}`;
  const response = await fetch(url, {
    method,
    headers: {
      Authorization: `Bearer ${token}`,
      "Content-Type": "application/json",
    },
    signal: AbortSignal.timeout(30_000),
    ...(record ? { body: JSON.stringify(body(record)) } : {}),
  }).catch((error: unknown) => {
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    throw new Error(`${method} ${url}: ${String(cause)}`);
  });
  const answered = await response.text();
  const answer = JSON.parse(answered) as Envelope;
  if (!answer.success) {
    throw new CloudflareError(
      `${method} "${url}": ${String(response.status)} ${response.statusText} ${answered}`,
      answer.errors.map(({ code }) => code),
    );
  }
  return answer.result;
}

function body(record: Properties): Properties {
  return Object.fromEntries(
    recordFields
      .filter((field) => record[field] !== undefined)
      .map((field) => [field, record[field]]),
  );
}

function text(configured: unknown, variable: string): string {
  return typeof configured === "string"
    ? configured
    : (process.env[variable] ?? "");
}
