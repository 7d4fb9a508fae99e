/**
 * The allow list: one parser, pure. Everything that the gateway enforces (DNS
 * names, proxy maps, the inspecting authority's names) derives from its rules.
 */

/** One allowed URL pattern. */
export interface EgressRule {
  /** As written in the stack file. */
  readonly url: string;
  /** Exact host name, lower case. */
  readonly host: string;
  /** Path that is allowed; with `exact` unset everything below it too. */
  readonly path: string;
  readonly exact: boolean;
  /**
   * `splice`: TLS passes through after its name was checked. `inspect`: TLS
   * ends at the gateway and every request is checked.
   */
  readonly mode: "splice" | "inspect";
}

/** A problem of one entry; `key` is the entry's place, such as `[0].url`. */
export interface RuleProblem {
  readonly key: string;
  readonly message: string;
}

const hostPattern =
  /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/;

/**
 * Parses `egress.allow`: URL patterns as the request writes them
 * (`https://host/*`, `https://host/path/*`, `https://host/path`), or objects
 * `{ url, inspect }`. `https://host/api/v1/*` allows `/api/v1/` and all below
 * it, not `/api/v1` itself. All problems are found at once.
 */
export function parseEgressRules(input: unknown): {
  rules: EgressRule[];
  problems: RuleProblem[];
} {
  if (!Array.isArray(input)) {
    return {
      rules: [],
      problems: [
        {
          key: "",
          message: `${show(input)} is not a list; write the allowed URLs as a list, for example [https://api.github.com/*]`,
        },
      ],
    };
  }
  const rules: EgressRule[] = [];
  const problems: RuleProblem[] = [];
  input.forEach((entry: unknown, index) => {
    const key = `[${String(index)}]`;
    const parsed = parseEntry(entry, key);
    if ("url" in parsed) rules.push(parsed);
    else problems.push(parsed);
  });
  return { rules, problems: [...problems, ...contradictions(rules)] };
}

function parseEntry(entry: unknown, key: string): EgressRule | RuleProblem {
  if (typeof entry === "string") return parseUrl(entry, false, key);
  if (typeof entry !== "object" || entry === null || Array.isArray(entry)) {
    return {
      key,
      message: `${show(entry)} is neither a URL nor an object; write "https://host/*" or {url: "https://host/*", inspect: true}`,
    };
  }
  const { url, inspect = false, ...unread } = entry as Record<string, unknown>;
  const [unreadKey] = Object.keys(unread);
  if (unreadKey !== undefined) {
    return {
      key: `${key}.${unreadKey}`,
      message:
        "nothing reads this key; a rule has url and, if wanted, inspect: true",
    };
  }
  if (typeof url !== "string") {
    return {
      key: `${key}.url`,
      message: `${show(url)} is not a URL; write "https://host/*"`,
    };
  }
  if (typeof inspect !== "boolean") {
    return {
      key: `${key}.inspect`,
      message: `${show(inspect)} is not true or false`,
    };
  }
  return parseUrl(url, inspect, `${key}.url`);
}

function parseUrl(
  url: string,
  inspect: boolean,
  key: string,
): EgressRule | RuleProblem {
  const problem = (what: string): RuleProblem => ({
    key,
    message: `"${url}" ${what}`,
  });
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(url);
  if (!scheme) {
    return problem(`has no scheme; write "https://${url.replace(/^\/+/, "")}"`);
  }
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
    return problem(
      "names an IP address; a rule needs a host name, for its certificate is checked",
    );
  }
  if (authority.includes(":")) {
    return problem("has a port; only 443 can be allowed, leave the port out");
  }
  if (authority.includes("*")) {
    return problem(
      "has a wildcard in the host; write one rule for each exact name",
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
  if (!hostPattern.test(authority)) {
    return problem(
      "has no valid host name; write a name such as api.github.com",
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
  return {
    url,
    host: authority,
    path,
    exact: !isPrefix,
    mode: inspect || pattern !== "/*" ? "inspect" : "splice",
  };
}

/** Rules that cannot both hold. */
function contradictions(rules: readonly EgressRule[]): RuleProblem[] {
  return rules.flatMap((rule, index) => {
    const key = `[${String(index)}]`;
    const earlier = rules.slice(0, index);
    if (earlier.some((other) => other.url === rule.url)) {
      return [{ key, message: `"${rule.url}" stands twice; remove one` }];
    }
    const opposed = earlier.find(
      (other) => other.host === rule.host && other.mode !== rule.mode,
    );
    return opposed
      ? [
          {
            key,
            message: `"${rule.url}" and "${opposed.url}" cannot both hold: one passes ${rule.host} through unseen, the other looks at its paths; remove the narrower one, or write {url: "https://${rule.host}/*", inspect: true}`,
          },
        ]
      : [];
  });
}

function show(value: unknown): string {
  return value === undefined ? "nothing" : JSON.stringify(value);
}
