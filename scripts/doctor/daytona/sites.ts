/** Daytona's public addresses, as whoever runs the doctor sees them. */
import { lookup } from "node:dns/promises";
import { answered, versionAnswer } from "./api.ts";
import type { DaytonaConfig, Site } from "./observations.ts";

/** How long an answer may take, in ms. */
const limit = 8_000;

/** An id that no sandbox has, so that nobody's application is asked. */
const nobody = "00000000-0000-4000-8000-000000000000";

type Place = Pick<Site, "what" | "url">;

/** The addresses that clients are given. */
export function placesOf(
  config: DaytonaConfig | undefined,
  toolboxUrl: string | undefined,
  from: string | undefined,
): Place[] {
  const preview = config?.proxyTemplateUrl
    ?.replaceAll("{{PORT}}", "3000")
    .replaceAll("{{sandboxId}}", nobody);
  const toolbox = toolboxUrl && URL.parse("/health", toolboxUrl)?.href;
  return [
    ...(toolbox ? [{ what: "toolbox" as const, url: toolbox }] : []),
    ...(preview && URL.canParse(preview)
      ? [{ what: "preview" as const, url: preview }]
      : []),
    ...(from ? [{ what: "callers' address" as const, url: from }] : []),
  ];
}

export async function lookAtSite({ what, url }: Place): Promise<Site> {
  const { hostname } = new URL(url);
  const addresses = await answered(async () => {
    const found = await lookup(hostname.replace(/^\[|\]$/g, ""), { all: true });
    return found.map(({ address }) => address);
  });
  if (addresses.error !== undefined) return { what, url, addresses };
  const response = await answered(async () => {
    const signal = AbortSignal.timeout(limit);
    const answer = await fetch(url, { signal, redirect: "manual" });
    const body: unknown = await answer.json().catch(() => undefined);
    const version = versionAnswer.safeParse(body);
    return {
      status: answer.status,
      cloudflare: answer.headers.has("cf-ray"),
      version: version.success ? version.data.version : undefined,
    };
  });
  return { what, url, addresses, response };
}

/** Names that every computer has for itself. */
export function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return (
    /(^|\.)localhost$/.test(hostname) ||
    hostname.startsWith("127.") ||
    hostname === "[::1]"
  );
}
