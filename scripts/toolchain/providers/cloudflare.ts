/** Stand-in of the `cloudflare` provider: calls Cloudflare's API by HTTP. */
import type { Properties } from "./properties.ts";
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

const computed = ["createdOn", "modifiedOn", "proxiable"];

export const cloudflareTypes: Record<string, ResourceType> = {
  "cloudflare:index/dnsRecord:DnsRecord": {
    computed,
    replaceOn: ["zoneId"],
    check: (inputs) => [
      ...["zoneId", "name", "type", "ttl"]
        .filter((property) => inputs[property] === undefined)
        .map((property) => ({ property, reason: `${property} is missing` })),
      ...(inputs.proxied === true && inputs.ttl !== 1
        ? [{ property: "ttl", reason: "ttl must be 1 when proxied is true" }]
        : []),
    ],
    create: async (inputs, context) => {
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
        return outputsOf(await call(context, "GET", path));
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
  const answer = (await response.json()) as Envelope;
  if (!answer.success) {
    const reasons = answer.errors
      .map(({ code, message }) => `${message} (${String(code)})`)
      .join("; ");
    throw new CloudflareError(
      `${method} ${url}: ${String(response.status)} ${reasons}`,
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
