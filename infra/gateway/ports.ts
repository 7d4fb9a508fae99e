/** Which port of which bridge belongs to which sandbox. */
import type { Container, DockerState, Network } from "./docker.ts";

/** An interface of this machine, as its kernel tells it. */
export interface Link {
  readonly name: string;
  readonly isBridge: boolean;
  /** The bridge that it is a port of. */
  readonly bridge?: string;
  /** The kernel's number for the network namespace of the other end. */
  readonly peerNamespace?: number;
}

/** What a container's frames say when they are true. */
export interface Binding {
  readonly port: string;
  readonly bridge: string;
  readonly mac: string;
  readonly ipv4: string;
}

/** What is walled whatever Docker tells. */
export interface Named {
  readonly interfaces: readonly string[];
  /** IPv4, as CIDR. */
  readonly networks: readonly string[];
  /** Whether what is on Docker's own network is a sandbox, too. */
  readonly builds: boolean;
}

export interface Ports {
  /** Bridges that a sandbox stands on, and others that are to be walled. */
  readonly walled: readonly string[];
  /** Addresses of sandboxes, as CIDR: who has one elsewhere is refused. */
  readonly networks: readonly string[];
  /** Other bridges, but for one that Docker has made since it was asked. */
  readonly open: readonly string[];
  /** Ports of walled bridges that are a sandbox's or nobody's. */
  readonly sandboxes: readonly string[];
  /** Ports of walled bridges that are another container's. */
  readonly others: readonly string[];
  /** Of all containers on walled bridges. */
  readonly bindings: readonly Binding[];
}

/** As Docker names a bridge that nobody named. */
const ofDocker = /^br-[0-9a-f]{12}$/;
/** Daytona's runner names a sandbox's container by the sandbox's id. */
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** Docker's own network, on which images are built. */
const own = "bridge";
/** Networks that Daytona v0.190.0 makes for sandboxes alone. */
const ofSandboxes = /^(runner-bridge|daytona-link-.*)$/;

function bridgesOfSandboxes(
  networks: readonly Network[],
  builds: boolean,
): Set<string> {
  return new Set(
    networks
      .filter(({ name }) => ofSandboxes.test(name) || (builds && name === own))
      .map(({ bridge }) => bridge),
  );
}

/**
 * Containers that Daytona's runner has made, by their names or networks.
 * @param builds whether those on Docker's own network count
 */
export function sandboxesAmong(
  { networks, containers }: DockerState,
  builds = false,
): Set<Container> {
  const theirs = bridgesOfSandboxes(networks, builds);
  return new Set(
    containers.filter(
      ({ name, endpoints }) =>
        uuid.test(name) || endpoints.some(({ bridge }) => theirs.has(bridge)),
    ),
  );
}

/**
 * A container's ports are told by the namespace that the kernel says their
 * other ends are in: what a sandbox says about its own end is not asked.
 * @param namespaceOf the kernel's number for the network namespace of a process
 * @param named what is walled in any case
 */
export function portsOf(
  { networks, containers }: DockerState,
  links: readonly Link[],
  namespaceOf: (pid: number) => number | undefined,
  named: Named,
): Ports {
  const theirs = bridgesOfSandboxes(networks, named.builds);
  const sandboxes = sandboxesAmong({ networks, containers }, named.builds);
  const known = new Set(networks.map(({ bridge }) => bridge));
  const present = new Set(links.map(({ name }) => name));
  const all = new Set(
    [
      ...named.interfaces,
      ...theirs,
      ...[...sandboxes].flatMap(({ endpoints }) =>
        endpoints.map(({ bridge }) => bridge),
      ),
    ].filter((name) => present.has(name)),
  );
  const ports = links.filter(
    ({ bridge }) => bridge !== undefined && all.has(bridge),
  );
  const others = new Set<string>();
  const bindings: Binding[] = [];
  for (const container of containers) {
    const namespace = namespaceOf(container.pid);
    if (namespace === undefined) continue;
    for (const { bridge, mac, ipv4 } of container.endpoints) {
      const [port, ...more] = ports.filter(
        (it) => it.bridge === bridge && it.peerNamespace === namespace,
      );
      // Two ports of one bridge in one sandbox: it made the second one itself.
      if (port === undefined || more.length > 0) continue;
      bindings.push({ port: port.name, bridge, mac, ipv4 });
      if (!sandboxes.has(container)) others.add(port.name);
    }
  }
  return {
    walled: [...all].sort(),
    networks: [
      ...new Set([
        ...named.networks,
        ...networks
          .filter(({ bridge }) => all.has(bridge))
          .flatMap(({ subnets }) => subnets),
      ]),
    ].sort(),
    open: links
      .filter(({ name, isBridge }) => isBridge && !all.has(name))
      .filter(({ name }) => !ofDocker.test(name) || known.has(name))
      .map(({ name }) => name)
      .sort(),
    sandboxes: ports
      .map(({ name }) => name)
      .filter((name) => !others.has(name))
      .sort(),
    others: [...others].sort(),
    bindings: bindings.sort((a, b) => a.port.localeCompare(b.port)),
  };
}

/** As in nftables.conf: a release of before this set loads the elements, too. */
const networksSet =
  "add set inet daytona_egress networks { typeof ip saddr; flags interval; auto-merge; }\n";

/** As nft reads them, after nftables.conf has made the sets. */
export function portElements(ports: Ports): string {
  const { walled, networks, open, sandboxes, others, bindings } = ports;
  const named = (names: readonly string[]) => names.map((it) => `"${it}"`);
  const isOther = new Set(others);
  return [
    elements("inet", "walled", named(walled)),
    networksSet,
    elements("inet", "networks", networks),
    elements("inet", "open", named(open)),
    elements("bridge", "sandboxes", named(sandboxes)),
    elements("bridge", "others", named(others)),
    elements(
      "bridge",
      "bound",
      bindings
        .filter(({ port }) => !isOther.has(port))
        .map(({ port, mac, ipv4 }) => `"${port}" . ${mac} . ${ipv4}`),
    ),
  ].join("");
}

function elements(
  family: string,
  set: string,
  members: readonly string[],
): string {
  return members.length === 0
    ? ""
    : `add element ${family} daytona_egress ${set} { ${members.join(", ")} }\n`;
}
