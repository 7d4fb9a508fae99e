import { readFile } from "node:fs/promises";
import { emptyForRestart, keepForRestart } from "../machine/agent/files.ts";
import type { HaproxyRuntime } from "../machine/agent/haproxy.ts";
import { putToWork } from "../machine/agent/map.ts";
import type { Secrets } from "./credentials-document.ts";
import {
  credentialsMap,
  exactMap,
  methodsMap,
  nearestMap,
  optionsMap,
  prefixMap,
  sniMap,
} from "./rule-maps.ts";
import type { EgressRule } from "./rules.ts";

/** Maps that rules are in, by their files' names. */
export const ruleMaps = [
  "options",
  "credentials",
  "nearest",
  "exact",
  "prefix",
  "methods",
  "sni",
] as const;

/**
 * Puts the rules into the maps, on disk and in the running HAProxy. They change
 * one after the other, so what limits a rule comes before the rule lets
 * anything through, and stays until the rule is gone. Where the disk does not
 * take one of them, HAProxy's next start lets nothing through.
 * @returns why they are not kept for that start
 * @throws Error that names missing secrets, before anything is changed; or
 *   with HAProxy's words
 */
export async function applyMaps(
  directory: string,
  rules: readonly EgressRule[],
  secrets: Secrets,
  haproxy: Pick<HaproxyRuntime, "command">,
): Promise<Error | undefined> {
  const file = (name: string) => `${directory}/${name}.map`;
  const credentials = credentialsMap(rules, secrets);
  const options = optionsMap(rules);
  const gone = await linesOfOtherKeys(file("options"), options);
  let unkept: Error | undefined;
  for (const [name, content] of [
    ["options", sorted(options + gone)],
    ["credentials", credentials],
    ["nearest", nearestMap(rules)],
    ["exact", exactMap(rules)],
    ["prefix", prefixMap(rules)],
    ["methods", methodsMap(rules)],
    ["sni", sniMap(rules)],
    ["options", options],
  ] as const) {
    const why = await keepForRestart(file(name), content);
    if (why && !unkept) await nothingForRestart(directory);
    unkept ??= why;
    await putToWork(file(name), content, haproxy);
  }
  if (unkept) await nothingForRestart(directory);
  return unkept;
}

/**
 * Empties what lets anything through; the other maps only limit that. At the
 * first file that fails, for HAProxy may start at any moment, and at the end, for
 * a later file may have found room.
 */
async function nothingForRestart(directory: string): Promise<void> {
  for (const name of ["exact", "prefix", "sni"]) {
    await emptyForRestart(`${directory}/${name}.map`);
  }
}

/** Lines of a map on disk whose keys the new content does not have. */
async function linesOfOtherKeys(
  file: string,
  content: string,
): Promise<string> {
  const keys = new Set(lines(content).map(keyOf));
  const before = await readFile(file, "utf8").catch(() => "");
  return lines(before)
    .filter((line) => !keys.has(keyOf(line)))
    .map((line) => `${line}\n`)
    .join("");
}

const lines = (content: string) =>
  content.split("\n").filter((line) => line !== "");

const keyOf = (line: string) => line.split(" ", 1)[0];

function sorted(content: string): string {
  return lines(content)
    .sort()
    .map((line) => `${line}\n`)
    .join("");
}
