import type { HaproxyRuntime } from "../machine/agent/haproxy.ts";
import { applyMap } from "../machine/agent/map.ts";
import { exactMap, prefixMap, sniMap } from "./rule-maps.ts";
import type { EgressRule } from "./rules.ts";

/**
 * Puts the rules into the maps, on disk and in the running HAProxy.
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
    await applyMap(`${directory}/${name}.map`, content, haproxy);
  }
}
