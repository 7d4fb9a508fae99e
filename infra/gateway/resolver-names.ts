import { gatewayName } from "./address.ts";
import { type Control, resolverControl } from "./resolver-control.ts";

/** How long a sandbox may keep an answer, in seconds. */
const ttl = 30;

/** Holds for all names that have no zone of their own; resolver.conf has it. */
const rootZone = ".";

/**
 * Makes the sandboxes' resolver answer exactly these hosts and the gateway's own
 * name, with the gateway's address: names that are not wanted any more go first, then the missing ones
 * come. Asks the resolver what it has, so that a restart is repaired.
 * @param hosts exact names; `*.` in front stands for the names below
 * @throws Error when the resolver does not run
 */
export async function applyNames(
  hosts: readonly string[],
  address: string,
  control: Control = resolverControl,
): Promise<void> {
  const wanted = zonesOf([gatewayName, ...hosts]);
  const present = await presentZones(address, control);
  const isSame = ([zone, type]: [string, string]) => present.get(zone) === type;
  const unwanted = [...present].filter(
    ([zone, type]) => wanted.get(zone) !== type,
  );
  if (unwanted.length > 0) {
    await control(
      "local_zones_remove",
      list(unwanted, ([zone]) => zone),
    );
  }
  const missing = [...wanted].filter((zone) => !isSame(zone));
  if (missing.length > 0) {
    await control(
      "local_zones",
      list(missing, ([zone, type]) => `${zone} ${type}`),
    );
    const data = ([zone]: [string, string]) =>
      `${zone} ${String(ttl)} IN A ${address}`;
    await control("local_datas", list(missing, data));
  }
}

/**
 * Makes the resolver answer all other names too, with the same address (A, no
 * other type), or refuse them again. Nobody is asked either way. Its zone
 * changes from one type to the other in one step.
 * @throws Error when the resolver does not run
 */
export async function applyUnlisted(
  isAnswered: boolean,
  address: string,
  control: Control = resolverControl,
): Promise<void> {
  const zones = await control("list_local_zones");
  const type = isAnswered ? "redirect" : "always_nxdomain";
  if (zones.split("\n").includes(`${rootZone} ${type}`)) return;
  if (isAnswered) {
    const data = `${rootZone} ${String(ttl)} IN A ${address}`;
    await control("local_datas", `${data}\n`);
  }
  await control("local_zones", `${rootZone} ${type}\n`);
  if (!isAnswered) await control("local_datas_remove", `${rootZone}\n`);
}

/**
 * Zone and its type (unbound.conf(5), local-zone). Static: the name itself, no
 * other type, and nothing below it. Redirect: all names below as well.
 */
function zonesOf(hosts: readonly string[]): Map<string, string> {
  const exact = hosts.filter((host) => !host.startsWith("*."));
  const wild = hosts.filter((host) => host.startsWith("*."));
  return new Map([
    ...exact.map((host) => [`${host}.`, "static"] as const),
    ...wild.map((host) => [`${host.slice(2)}.`, "redirect"] as const),
  ]);
}

/**
 * Zones that are answered with the gateway's address. Those that unbound
 * brings along (RFC 6761) have others, a half-done one has none.
 */
async function presentZones(
  address: string,
  control: Control,
): Promise<Map<string, string>> {
  const zones = await control("list_local_zones");
  const types = new Map(
    [...zones.matchAll(/^(\S+) (\S+)$/gm)].map(([, zone = "", type = ""]) => [
      zone,
      type,
    ]),
  );
  const data = await control("list_local_data");
  return new Map(
    [...data.matchAll(/^(\S+)\s+\d+\s+IN\s+A\s+(\S+)$/gm)]
      .filter(([, zone, answer]) => answer === address && zone !== rootZone)
      .map(([, zone = ""]) => [zone, types.get(zone) ?? ""]),
  );
}

function list<Item>(
  items: readonly Item[],
  line: (item: Item) => string,
): string {
  return items.map((item) => `${line(item)}\n`).join("");
}
