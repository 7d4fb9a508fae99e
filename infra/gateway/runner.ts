/** A Daytona runner in a container: which it is, and what of the server is open beside it. */
import type { Container, DockerState } from "./docker.ts";
import type { Link } from "./ports.ts";

/** Images of Daytona's runner, and of its fork, whatever registry they come from. */
const ofRunner = /(^|\/)(daytona|nightona)-runner([:@]|$)/;

/**
 * Whether a container is Daytona's runner: by its image, or by the service of
 * Daytona's compose file, whose project somebody may have named otherwise.
 */
export function isRunner({
  image,
  labels,
}: Pick<Container, "image" | "labels">): boolean {
  return (
    ofRunner.test(image) ||
    (labels["com.docker.compose.service"] === "runner" &&
      /daytona|nightona/.test(labels["com.docker.compose.project"] ?? ""))
  );
}

/** As Docker names a bridge that nobody named. */
const ofDocker = /^(docker0|br-[0-9a-f]{12})$/;

/**
 * Ports of the server's bridges that nftables-runner.conf lets frames in from:
 * those of containers that are no runner, and all that is not Docker's. Whose
 * other end is in no known container stays closed: a container that starts has
 * its port before Docker tells of it.
 * @param namespaceOf the kernel's number for the network namespace of a process
 * @param isOpen whether a container may be let out
 */
export function openPorts(
  { networks, containers }: DockerState,
  links: readonly Link[],
  namespaceOf: (pid: number) => number | undefined,
  isOpen: (container: Container) => boolean,
): string[] {
  const bridges = new Set(networks.map(({ bridge }) => bridge));
  const open = new Map(
    containers.map((it) => [namespaceOf(it.pid), isOpen(it)] as const),
  );
  return links
    .filter(({ name }) => name.startsWith("veth"))
    .filter(({ bridge, peerNamespace }) => {
      if (bridge === undefined) return false;
      if (!bridges.has(bridge) && !ofDocker.test(bridge)) return true;
      return peerNamespace !== undefined && open.get(peerNamespace) === true;
    })
    .map(({ name }) => name)
    .sort();
}

/** Whether every port of Docker's bridges is somebody's that Docker has told of. */
export function isEveryPortKnown(
  { networks, containers }: DockerState,
  links: readonly Link[],
  namespaceOf: (pid: number) => number | undefined,
): boolean {
  const bridges = new Set(networks.map(({ bridge }) => bridge));
  const known = new Set(containers.map(({ pid }) => namespaceOf(pid)));
  return links
    .filter(({ bridge }) => bridge !== undefined && bridges.has(bridge))
    .every(({ peerNamespace }) => known.has(peerNamespace));
}

/** IPv4 addresses by the names that a container's neighbours have for it. */
export function neighbourNames(
  { containers }: DockerState,
  runner: Container,
): Record<string, string[]> {
  const bridges = new Set(runner.endpoints.map(({ bridge }) => bridge));
  const found: Record<string, string[]> = {};
  for (const { endpoints } of containers) {
    for (const { bridge, names, ipv4 } of endpoints) {
      if (!bridges.has(bridge)) continue;
      for (const name of names) (found[name] ??= []).push(ipv4);
    }
  }
  return found;
}
