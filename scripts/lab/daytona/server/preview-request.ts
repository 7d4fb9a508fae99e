/** What Daytona's proxy reads from a request, and what it takes away. */
import { parse as parseCookies } from "hono/utils/cookie";
import type { IncomingMessage } from "node:http";
import {
  type AccessDecision,
  type Credentials,
  authCookieName,
} from "./access.ts";

const tokenHeader = "x-daytona-preview-token";
const tokenQuery = "DAYTONA_SANDBOX_AUTH_KEY";

/**
 * Host and path as Go's server reads them: the host of an absolute request
 * target wins over the Host header (RFC 9112, 3.2.2).
 */
export function requestTarget(request: IncomingMessage): {
  host: string;
  url: string;
} {
  const url = request.url ?? "/";
  const absolute = /^https?:\/\/([^/?#]*)(.*)$/i.exec(url);
  if (!absolute) return { host: request.headers.host ?? "", url };
  const [, host = "", rest = ""] = absolute;
  return { host, url: rest.startsWith("/") ? rest : `/${rest}` };
}

/** @param target sandbox id or signed token of the host */
export function credentials(
  request: IncomingMessage,
  target: string,
): Credentials {
  const { authorization } = request.headers;
  const query = new URLSearchParams(splitUrl(requestTarget(request).url)[1]);
  return {
    bearer: /^Bearer (.+)$/.exec(authorization ?? "")?.[1],
    previewToken: request.headers[tokenHeader]?.toString(),
    queryToken: query.get(tokenQuery) ?? undefined,
    cookie: cookies(request)[authCookieName(target)],
  };
}

export function cookies(request: IncomingMessage): Record<string, string> {
  return parseCookies(request.headers.cookie ?? "");
}

/**
 * Takes the credential that opened the way off the request.
 * @returns the path and query without it
 */
export function withoutCredential(
  request: IncomingMessage,
  { by }: AccessDecision,
  url: string,
): string {
  if (by === "bearer") delete request.headers.authorization;
  if (by === "header") Reflect.deleteProperty(request.headers, tokenHeader);
  if (by !== "query") return url;
  const [path, query] = splitUrl(url);
  const rest = new URLSearchParams(query);
  rest.delete(tokenQuery);
  rest.sort();
  return rest.size === 0 ? path : `${path}?${rest.toString()}`;
}

export function splitUrl(url: string): [path: string, query: string] {
  const mark = url.indexOf("?");
  return mark === -1 ? [url, ""] : [url.slice(0, mark), url.slice(mark + 1)];
}
