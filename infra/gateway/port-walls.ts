/**
 * Puts the ports of sandboxes into force: in nftables' sets, and in what stands
 * without nftables: neighbours that no ARP changes, hardware addresses that stay
 * at their port, and ports that pass nothing to each other.
 */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual, promisify } from "node:util";
import { keepForRestart } from "../machine/agent/files.ts";
import { etc, state } from "../machine/places.ts";
import type { Docker, DockerState } from "./docker.ts";
import { links, namespacesOf } from "./links.ts";
import {
  type Binding,
  type Named,
  type Ports,
  portElements,
  portsOf,
} from "./ports.ts";

const directory = `${state}/gateway/ports`;
const elementsFile = `${directory}/ports.nft`;
/** Interfaces that firewall.sh closes when nftables is empty, one a line. */
const walledFile = `${directory}/walled`;
const setsFile = `${etc("gateway")}/nftables-ports.conf`;
/** Until the kernel has asked a new neighbour, in ms: two of its ticks. */
const probing = 20;
const run = promisify(execFile);

/** What stands where at this moment. */
export async function portsNow(
  docker: Docker,
  state: DockerState,
  named: Named,
): Promise<Ports> {
  const [present, namespaces] = await Promise.all([
    links(),
    namespacesOf(
      docker,
      state.containers.map(({ pid }) => pid),
    ),
  ]);
  return portsOf(state, present, (pid) => namespaces.get(pid), named);
}

let inForce: Ports | undefined;
/** Why the disk does not have what is in force. */
let unkept: Error | undefined;

/**
 * The files first, so that whoever loads the firewall meanwhile has them; but
 * what is in force does not wait for a disk that is full.
 * @returns whether anything changed
 * @throws Error when a program refuses, or the disk
 */
export async function applyPorts(ports: Ports): Promise<boolean> {
  const isChanged = !isDeepStrictEqual(ports, inForce);
  if (isChanged || unkept) {
    const elements = portElements(ports);
    const walled = ports.walled.map((name) => `${name}\n`).join("");
    const before = await readFile(walledFile, "utf8").catch(() => "");
    const files = [
      await keepForRestart(elementsFile, elements),
      await keepForRestart(walledFile, walled),
    ];
    unkept = files.find((error) => error !== undefined);
    const isFilled = await fillSets(elements);
    if (!isFilled || (before !== walled && !unkept)) {
      await run("systemctl", [
        "reload-or-restart",
        "daytona-gateway-firewall.service",
      ]);
    }
  }
  await applyLinks(ports);
  inForce = ports;
  if (unkept) throw unkept;
  return isChanged;
}

/** @returns false when the sets are not there, for somebody emptied nftables */
async function fillSets(elements: string): Promise<boolean> {
  const flush = await readFile(setsFile, "utf8");
  const running = run("nft", ["-f", "-"]);
  running.child.stdin?.end(flush + elements);
  return running.then(
    () => true,
    () => false,
  );
}

/** What is right already is set again: another program may have changed it. */
async function applyLinks({ bindings, sandboxes }: Ports): Promise<void> {
  const known = inForce?.bindings ?? [];
  const wanted = new Set(
    bindings.map(({ ipv4, bridge }) => `${ipv4} ${bridge}`),
  );
  const gone = known.filter(
    ({ ipv4, bridge }) => !wanted.has(`${ipv4} ${bridge}`),
  );
  const neighbours = (members: readonly Binding[], state: string) =>
    members.map(
      ({ ipv4, mac, bridge }) =>
        `neigh replace ${ipv4} lladdr ${mac} dev ${bridge} nud ${state}`,
    );
  const added = bindings.filter(
    (binding) => !known.some((it) => isDeepStrictEqual(it, binding)),
  );
  if (added.length > 0) {
    // A sandbox that asked for its router before it was bound asks again after
    // a second. The server's own question tells it, and is asked soon.
    await batch("ip", neighbours(added, "probe"));
    await sleep(probing);
  }
  await batch("ip", [
    ...gone.map(({ ipv4, bridge }) => `neigh del ${ipv4} dev ${bridge}`),
    ...neighbours(bindings, "permanent"),
  ]);
  await batch("bridge", [
    ...sandboxes.map((port) => `link set dev ${port} isolated on`),
    ...bindings.map(
      ({ port, mac }) => `fdb replace ${mac} dev ${port} master static sticky`,
    ),
  ]);
}

/** A port may go at any moment; its line fails then, and the others count. */
async function batch(program: string, lines: string[]): Promise<void> {
  if (lines.length === 0) return;
  const running = run(program, ["-force", "-batch", "-"]);
  running.child.stdin?.end(lines.join("\n"));
  await running.catch(() => {
    // What is not right is seen by the next look.
  });
}
