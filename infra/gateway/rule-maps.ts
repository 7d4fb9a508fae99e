/** The rules as the map files that the gateway's HAProxy reads. */
import { type EgressRule, clientCredential, covers } from "./rules.ts";

/** Host → what becomes of its TLS: `splice`, `splice-ech` or `inspect`. */
export function sniMap(rules: readonly EgressRule[]): string {
  return mapFile(
    rules.map(({ host, mode, options }) => [
      host,
      options.ech === "allow" ? `${mode}-ech` : mode,
    ]),
  );
}

/** Host and path → the rule's URL, for paths that are allowed exactly. */
export function exactMap(rules: readonly EgressRule[]): string {
  return pathMap(rules.filter((rule) => rule.exact));
}

/** Host and path → the rule's URL, for paths that are allowed with all below them. */
export function prefixMap(rules: readonly EgressRule[]): string {
  return pathMap(rules.filter((rule) => !rule.exact));
}

/**
 * Method and the rule that a path fell under → the rule that allows it, which
 * may be a wider one; `*` for all methods that are not listed.
 */
export function methodsMap(rules: readonly EgressRule[]): string {
  return mapFile(
    inspected(rules).flatMap((rule) => {
      const entries = new Map<string, string>();
      const closestFirst = inspected(rules)
        .filter((other) => covers(other, rule))
        .sort(
          (a, b) =>
            Number(b.exact) - Number(a.exact) || b.path.length - a.path.length,
        );
      for (const { options } of closestFirst) {
        for (const method of options.methods ?? ["*"]) {
          const key = `${method}:${rule.options.url}`;
          if (!entries.has(key)) entries.set(key, options.url);
        }
        if (options.methods === undefined) break;
      }
      return [...entries];
    }),
  );
}

/** A rule's URL → what else holds for it, as words that haproxy.cfg knows. */
export function optionsMap(rules: readonly EgressRule[]): string {
  return mapFile(
    inspected(rules).flatMap(({ options }) => {
      const client = clientCredential(options);
      const words = [
        ...(client === "pass" ? [] : [`client-${client}`]),
        ...(options.credential ? [`in-${options.credential.header}`] : []),
        ...(options.upgrade ? [options.upgrade] : []),
      ];
      return words.length > 0 ? [[options.url, words.join(",")] as const] : [];
    }),
  );
}

/**
 * A rule's URL → the value of its credential's header.
 * @throws Error that names every secret that is missing
 */
export function credentialsMap(
  rules: readonly EgressRule[],
  secrets: Readonly<Record<string, string>>,
): string {
  const wanted = rules.flatMap(({ options: { url, credential } }) =>
    credential ? [{ url, ...credential }] : [],
  );
  const missing = wanted.filter(
    ({ secret }) => !Object.hasOwn(secrets, secret),
  );
  if (missing.length > 0) {
    const lines = missing.map(
      ({ url, secret }) =>
        `"${url}" needs the secret "${secret}", which the store does not have`,
    );
    throw new Error(`refused: ${lines.join("; ")}`);
  }
  return mapFile(
    wanted.map(({ url, scheme, secret }) => [
      url,
      `${scheme ? `${scheme} ` : ""}${secrets[secret] ?? ""}`,
    ]),
  );
}

/** Host and each directory above a rule's path → that rule, to be named in a refusal. */
export function nearestMap(rules: readonly EgressRule[]): string {
  const entries = new Map<string, string>();
  for (const { host, path, options } of inspected(rules)) {
    // Debian's Node is 20, whose iterators have no map.
    const directories = Array.from(
      path.matchAll(/\//g),
      ({ index }) => index + 1,
    );
    for (const end of [...directories, path.length]) {
      const key = `${host}${path.slice(0, end)}`;
      if (!entries.has(key)) entries.set(key, options.url);
    }
  }
  return mapFile([...entries]);
}

/** Hosts that the rules name, each once. */
export function hostsOf(
  rules: readonly EgressRule[],
  mode?: EgressRule["mode"],
): string[] {
  const hosts = rules
    .filter((rule) => mode === undefined || rule.mode === mode)
    .map((rule) => rule.host);
  return [...new Set(hosts)].sort();
}

function inspected(rules: readonly EgressRule[]): EgressRule[] {
  return rules.filter((rule) => rule.mode === "inspect");
}

function pathMap(rules: readonly EgressRule[]): string {
  return mapFile(
    inspected(rules).map((rule) => [
      `${rule.host}${rule.path}`,
      rule.options.url,
    ]),
  );
}

function mapFile(entries: readonly (readonly [string, string])[]): string {
  const lines = entries.map(([key, value]) => `${key} ${value}\n`);
  return [...new Set(lines)].sort().join("");
}
