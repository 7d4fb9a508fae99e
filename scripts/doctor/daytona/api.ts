/** The API's half: Daytona's configuration, the key, and one sandbox's record. */
import * as z from "zod";
import type {
  Answer,
  ApiSeen,
  DaytonaConfig,
  SandboxRecord,
} from "./observations.ts";
import { printable } from "./printable.ts";

/** How long an answer may take, in ms. */
const limit = 8_000;

const configAnswer = z.object({
  version: z.string().optional(),
  proxyToolboxUrl: z.string().optional(),
  proxyTemplateUrl: z.string().optional(),
});

/** Of Daytona's proxy on /health, and of its daemon on /version. */
export const versionAnswer = z.object({ version: z.string() });

const nullable = z
  .string()
  .nullish()
  .transform((text) => text ?? undefined);

const sandboxAnswer = z.object({
  id: z.string(),
  state: z.string(),
  daemonVersion: nullable,
  networkBlockAll: z.boolean().optional(),
  networkAllowList: nullable,
  toolboxProxyUrl: nullable,
  errorReason: nullable,
});

/** @returns undefined for what is no configuration of Daytona's */
export function daytonaConfig(body: unknown): DaytonaConfig | undefined {
  const parsed = configAnswer.safeParse(body);
  return parsed.success ? parsed.data : undefined;
}

/** The API's address as its SDK has it, which ends in /api. */
export function apiAddress(url: string): string {
  const bare = url.replace(/\/+$/, "");
  return bare.endsWith("/api") ? bare : `${bare}/api`;
}

export interface Asking {
  /** As {@link apiAddress} gives it. */
  readonly url: string;
  readonly key: string | undefined;
  /** Id or name; the first that runs when absent. */
  readonly sandbox?: string | undefined;
}

export async function askApi(asking: Asking): Promise<ApiSeen> {
  const { url, key } = asking;
  const [config, sandbox] = await Promise.all([
    answered(async () => {
      const { status, body } = await getJson(`${url}/config`);
      const config = daytonaConfig(body);
      if (status === 200 && config?.version !== undefined) return config;
      throw new Error(
        `answers ${String(status)}, but not as Daytona's API: ${text(body)}`,
      );
    }),
    key === undefined ? undefined : answered(() => sandboxOf(asking, key)),
  ]);
  return {
    config,
    ...(sandbox && {
      sandbox,
      key: sandbox.error?.startsWith("key refused") ? "refused" : "accepted",
    }),
  };
}

async function sandboxOf(
  { url, sandbox }: Asking,
  key: string,
): Promise<SandboxRecord> {
  const path =
    sandbox === undefined
      ? `${url}/sandbox`
      : `${url}/sandbox/${encodeURIComponent(sandbox)}`;
  const { status, body } = await getJson(path, key);
  if (status === 401 || status === 403) {
    throw new Error(`key refused: ${String(status)} to GET ${path}`);
  }
  if (status !== 200) {
    throw new Error(`${String(status)} to GET ${path}: ${text(body)}`);
  }
  if (sandbox !== undefined) return sandboxAnswer.parse(body);
  const all = z.array(sandboxAnswer).parse(body);
  const chosen = all.find(({ state }) => state === "started") ?? all[0];
  if (chosen) return chosen;
  throw new Error("this key's organization has no sandbox");
}

/** @throws Error that says why there is no answer */
export async function getJson(
  url: string,
  key?: string,
): Promise<{ status: number; body: unknown }> {
  return sendJson(url, key, { signal: AbortSignal.timeout(limit) });
}

/** @throws Error that says why there is no answer */
export async function sendJson(
  url: string,
  key: string | undefined,
  request: RequestInit,
): Promise<{ status: number; body: unknown }> {
  const response = await fetch(url, {
    ...request,
    // A key is for whom it was given to.
    redirect: "manual",
    headers: {
      ...(key !== undefined && { Authorization: `Bearer ${key}` }),
      ...(request.body != null && { "Content-Type": "application/json" }),
    },
  });
  const said = await limitedText(response);
  return { status: response.status, body: parsed(said) };
}

function parsed(said: string): unknown {
  try {
    return JSON.parse(said);
  } catch {
    return said;
  }
}

/** The beginning of an answer, for people. */
/** Of an answer, in characters; a sandbox may send for ever. */
const mostText = 4_000_000;

async function limitedText({ body }: Response): Promise<string> {
  const decoder = new TextDecoder();
  let said = "";
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    said += decoder.decode(chunk, { stream: true });
    if (said.length > mostText) throw new Error("answers without an end");
  }
  return said;
}

export function text(body: unknown): string {
  const said = typeof body === "string" ? body : JSON.stringify(body);
  return printable(said).replaceAll(/\s+/g, " ").slice(0, 200);
}

/** What is asked, or why there is no answer. */
export async function answered<T>(ask: () => Promise<T>): Promise<Answer<T>> {
  try {
    return { value: await ask() };
  } catch (error) {
    return { error: reason(error) };
  }
}

/** The innermost reason: fetch's own message is "fetch failed". */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return "no answer in time";
  if (error instanceof z.ZodError) {
    return `not as Daytona answers: ${z.prettifyError(error)}`;
  }
  if (error instanceof AggregateError && error.errors.length > 0) {
    return reason(error.errors[0]);
  }
  return error.cause === undefined ? error.message : reason(error.cause);
}
