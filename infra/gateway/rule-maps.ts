/** The rules as the map files that the gateway's HAProxy reads. */
import type { EgressRule } from "./rules.ts";

/** Host → `splice` or `inspect`. */
export function sniMap(rules: readonly EgressRule[]): string {
  const modes = new Map(rules.map((rule) => [rule.host, rule.mode]));
  return mapFile([...modes]);
}

/** Host and path → the rule, for paths that are allowed exactly. */
export function exactMap(rules: readonly EgressRule[]): string {
  return pathMap(rules.filter((rule) => rule.exact));
}

/** Host and path → the rule, for paths that are allowed with all below them. */
export function prefixMap(rules: readonly EgressRule[]): string {
  return pathMap(rules.filter((rule) => !rule.exact));
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

function pathMap(rules: readonly EgressRule[]): string {
  return mapFile(
    rules
      .filter((rule) => rule.mode === "inspect")
      .map((rule) => [`${rule.host}${rule.path}`, rule.url]),
  );
}

function mapFile(entries: readonly (readonly [string, string])[]): string {
  return entries
    .map(([key, value]) => `${key} ${value}\n`)
    .sort()
    .join("");
}
