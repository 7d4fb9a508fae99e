/**
 * Names that a runner in a container asks for itself, and its Docker: its
 * neighbours by Compose, and the hosts that it pulls images from. Sandboxes ask
 * by that same Docker (nftables-runner-names.conf), so the resolver answers no
 * others; it asks nobody for them, either: this looks them up beforehand.
 */
import { Resolver } from "node:dns/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "../machine/agent/message-of.ts";
import { recursorPort } from "../machine/places.ts";
import { type Control, resolverControl } from "./resolver-control.ts";
import { readAttached } from "./runner-place.ts";

/** How long an answer is kept, and how often a host is looked up, in seconds. */
const ttl = 30;
/** How often what is answered is compared with what is wanted, in ms. */
const interval = 1_000;

export interface RunnerNames {
  /** Those of registries, say. */
  readonly hosts: readonly string[];
  /** What names that sandboxes may call are answered with. */
  readonly address: string;
  /** Names that sandboxes may call, by now. */
  readonly ofRules: () => readonly string[];
  /** Another one in tests. */
  readonly control?: Control;
}

/** Keeps these names in force, where the runner is in a container. */
export async function keepRunnerNames(names: RunnerNames): Promise<never> {
  const recursor = new Resolver({ timeout: 2_000, tries: 2 });
  recursor.setServers([`127.0.0.1:${String(recursorPort)}`]);
  const found = new Map<string, readonly string[]>();
  let lookedUp = 0;
  let failure = "";
  for (;;) {
    try {
      const attached = readAttached();
      if (attached && Date.now() - lookedUp > ttl * 1_000) {
        lookedUp = Date.now();
        await lookUp(names.hosts.filter(Boolean), recursor, found);
      }
      if (attached) {
        const wanted = [...Object.entries(attached.names), ...found];
        await applyRunnerNames(new Map(wanted), names);
      }
      failure = "";
    } catch (error) {
      const message = messageOf(error);
      if (message !== failure) console.error(`runner's names: ${message}`);
      failure = message;
    }
    await sleep(interval);
  }
}

/** What was found before holds until there is something else. */
async function lookUp(
  hosts: readonly string[],
  recursor: Resolver,
  found: Map<string, readonly string[]>,
): Promise<void> {
  await Promise.all(
    hosts.map((host) =>
      recursor.resolve4(host).then(
        (addresses) => found.set(host, addresses),
        () => undefined,
      ),
    ),
  );
}

/**
 * Makes the resolver answer these names with these addresses, and no others
 * but the gateway's own.
 * @throws Error when the resolver does not run
 */
export async function applyRunnerNames(
  found: ReadonlyMap<string, readonly string[]>,
  { address, ofRules, control = resolverControl }: RunnerNames,
): Promise<void> {
  const rules = new Set(ofRules());
  const wanted = new Map(
    [...found]
      .filter(([name]) => !rules.has(name))
      .map(([name, addresses]) => [`${name}.`, new Set(addresses)]),
  );
  const present = await presentData(address, control);
  for (const [name, addresses] of wanted) {
    const is = present.get(name) ?? new Set();
    const isSame = [...is].every((it) => addresses.has(it));
    if (isSame && is.size === addresses.size) continue;
    await control("local_zones_remove", `${name}\n`);
    await control("local_zones", `${name} static\n`);
    const lines = [...addresses].map(
      (it) => `${name} ${String(ttl)} IN A ${it}\n`,
    );
    await control("local_datas", lines.join(""));
  }
  const gone = [...present.keys()].filter((name) => !wanted.has(name));
  if (gone.length > 0) {
    await control(
      "local_zones_remove",
      gone.map((name) => `${name}\n`).join(""),
    );
  }
}

/** Names that are answered with other addresses than the gateway's. */
async function presentData(
  address: string,
  control: Control,
): Promise<Map<string, Set<string>>> {
  const data = await control("list_local_data");
  const present = new Map<string, Set<string>>();
  for (const [, name = "", answer = ""] of data.matchAll(
    /^(\S+)\s+\d+\s+IN\s+A\s+(\S+)$/gm,
  )) {
    // Unbound brings localhost along (RFC 6761).
    if (answer === address || name === "localhost.") continue;
    const answers = present.get(name) ?? new Set();
    present.set(name, answers.add(answer));
  }
  return present;
}
