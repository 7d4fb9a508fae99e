import { writeAtomically } from "../machine/agent/files.ts";
import type { HaproxyRuntime } from "../machine/agent/haproxy.ts";
import { exactMap, prefixMap, sniMap } from "./rule-maps.ts";
import type { EgressRule } from "./rules.ts";

/** HAProxy takes commands that fit its buffer of 16 KiB (tune.bufsize). */
const payloadLimit = 8_000;

/**
 * Puts the rules into the maps, on disk and in the running HAProxy. Each map
 * changes at once as a whole, so that no request meets half a rule list.
 * @throws Error with HAProxy's words
 */
export async function applyMaps(
  directory: string,
  rules: readonly EgressRule[],
  haproxy: Pick<HaproxyRuntime, "command">,
): Promise<void> {
  const maps = {
    // The names last: a host is let in when its paths are known.
    exact: exactMap(rules),
    prefix: prefixMap(rules),
    sni: sniMap(rules),
  };
  for (const [name, content] of Object.entries(maps)) {
    const file = `${directory}/${name}.map`;
    await writeAtomically(file, content, 0o600);
    if (normal(await haproxy.command(`show map ${file}`)) !== content) {
      await replaceMap(file, content, haproxy);
    }
  }
}

async function replaceMap(
  file: string,
  content: string,
  haproxy: Pick<HaproxyRuntime, "command">,
): Promise<void> {
  const prepared = await haproxy.command(`prepare map ${file}`);
  const version = /New version created: (\d+)/.exec(prepared)?.[1];
  if (version === undefined) throw new Error(`map ${file}: ${prepared}`);
  for (const payload of payloads(content)) {
    const added = await haproxy.command(
      `add map @${version} ${file} <<\n${payload}`,
    );
    if (added !== "") throw new Error(`map ${file}: ${added}`);
  }
  const committed = await haproxy.command(`commit map @${version} ${file}`);
  if (committed !== "") throw new Error(`map ${file}: ${committed}`);
}

/** The lines of a map, as many at a time as one command may carry. */
function payloads(content: string): string[] {
  const all: string[] = [];
  for (const line of content.match(/.+\n/g) ?? []) {
    const last = all.at(-1);
    if (last === undefined || last.length + line.length > payloadLimit) {
      all.push(line);
    } else {
      all[all.length - 1] = last + line;
    }
  }
  return all;
}

/** `show map` puts an address before each entry. */
function normal(shown: string): string {
  return shown
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => `${line.replace(/^0x[0-9a-f]+ /, "")}\n`)
    .sort()
    .join("");
}
