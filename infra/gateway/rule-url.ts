/** The URL pattern of a rule, as the request writes it: `https://host/path/*`. */

import { gatewayName } from "./address.ts";

/** What a URL pattern means. */
export interface UrlPattern {
  /** Exact host name, lower case; with a wildcard `*.` and the name below it. */
  readonly host: string;
  /** Path that is allowed; with `exact` unset everything below it too. */
  readonly path: string;
  readonly exact: boolean;
}

const hostPattern =
  /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/;

const namesAddress =
  "names an IP address; a rule needs a host name, for its certificate is checked";

/**
 * Parses `https://host/*`, `https://host/path/*` or `https://host/path`.
 * `https://host/api/v1/*` allows `/api/v1/` and all below it, not `/api/v1`.
 * @param wildcard whether the first label of the host may be `*`
 * @returns the pattern, or what is wrong with it and the fix
 */
export function parseUrlPattern(
  url: string,
  wildcard: boolean,
): UrlPattern | string {
  const problem = (what: string): string => `"${url}" ${what}`;
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(url);
  if (!scheme) return problem(withoutScheme(url));
  const rest = url.slice(scheme[0].length);
  if (scheme[1] !== "https") {
    return problem(
      `has the scheme ${String(scheme[1])}; only https can be allowed, write "https://${rest}"`,
    );
  }
  const slash = rest.indexOf("/");
  const authority = slash === -1 ? rest : rest.slice(0, slash);
  const pattern = slash === -1 ? "" : rest.slice(slash);

  if (authority.includes("@")) {
    return problem("holds a user name; leave out everything before the @");
  }
  if (/^\[|^[0-9.]+(:|$)/.test(authority)) {
    return problem(namesAddress);
  }
  if (authority.includes(":")) {
    return problem("has a port; only 443 can be allowed, leave the port out");
  }
  const name = wildcard ? authority.replace(/^\*\./, "") : authority;
  if (wildcard && name === authority) {
    return problem(
      'has no wildcard in the host; leave "wildcard" out, or write "https://*.example.org/*"',
    );
  }
  if (name.includes("*")) {
    return problem(
      wildcard
        ? "may have one * only in the host, as its first label"
        : "has a wildcard in the host; write one rule for each exact name, or ask for it with wildcard: true",
    );
  }
  if (authority.endsWith(".")) {
    return problem("ends the host with a dot; leave it out");
  }
  if (authority !== authority.toLowerCase()) {
    return problem(
      `has upper case in the host; write "https://${authority.toLowerCase()}${pattern}"`,
    );
  }
  if (!hostPattern.test(name)) {
    return problem(
      "has no valid host name; write a name such as api.github.com",
    );
  }
  if (`.${name}`.endsWith(`.${gatewayName}`)) {
    return problem(
      `is for ${gatewayName}, by which sandboxes find the gateway itself; no rule can lead there, remove it`,
    );
  }
  if (pattern === "") {
    return problem(
      `has no path; write "https://${authority}/*" to allow the whole host`,
    );
  }
  if (/[?#]/.test(pattern)) {
    return problem("has a query or a fragment; rules know only paths");
  }
  if (/[^\x21-\x7e]|[%\\;]|\/\/|\/\.{1,2}(\/|$)/.test(pattern)) {
    return problem(
      "has a path that is not canonical; write it plainly, without %, ;, \\, empty, . or .. segments",
    );
  }
  const isPrefix = pattern.endsWith("/*");
  const path = isPrefix ? pattern.slice(0, -1) : pattern;
  if (path.includes("*")) {
    return problem('may have one * only, at the end after a "/"');
  }
  return { host: authority, path, exact: !isPrefix };
}

/** What is wrong with a text that begins with no scheme, and the fix. */
function withoutScheme(text: string): string {
  if (text !== text.trim()) return "has blanks around it; leave them out";
  const [host = "", ...path] = text.replace(/^\/+/, "").split("/");
  if (/^[0-9.]+$/.test(host)) {
    return namesAddress;
  }
  if (!hostPattern.test(host.toLowerCase())) {
    return 'is no URL; write one such as "https://api.github.com/*", a rule for each host';
  }
  const whole = `https://${[host.toLowerCase(), ...path].join("/")}`;
  if (whole.endsWith("/*")) return `has no scheme; write "${whole}"`;
  const below = `${whole.replace(/\/$/, "")}/*`;
  return path.join("") === ""
    ? `has no scheme; write "${below}" to allow the whole host`
    : `has no scheme; write "${below}" for all below this path, or "${whole}" for it alone`;
}
