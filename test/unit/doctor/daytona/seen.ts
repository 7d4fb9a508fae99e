/** Observations of a Daytona that is well, by API and by SSH, to change one thing in. */
import type {
  NetworkSeen,
  Observations,
  Probe,
  RulesSeen,
  RunnerSeen,
  ServerSeen,
} from "../../../../scripts/doctor/daytona/observations.ts";

export const id = "83792513-cd9e-428f-99c0-63c63bc7739c";
const works: Probe = {
  ...{ exitCode: 0, connected: true, secured: true, found: "HTTP 200" },
};
/** Neither SYN nor name is answered. */
export const noTcp: Partial<NetworkSeen> = {
  byAddress: { exitCode: 28, connected: false, secured: false, found: "" },
  byName: { exitCode: 28, connected: false, secured: false, found: "" },
  asConfigured: { exitCode: 28, connected: false, secured: false, found: "" },
};
export const noTls: Partial<NetworkSeen> = {
  byAddress: { exitCode: 28, connected: true, secured: false, found: "" },
  byName: { exitCode: 28, connected: true, secured: false, found: "" },
  asConfigured: { exitCode: 28, connected: true, secured: false, found: "" },
};
export const noName: Partial<NetworkSeen> = {
  lookup: { exitCode: 2, connected: false, secured: false, found: "" },
  byName: { exitCode: 6, connected: false, secured: false, found: "" },
  asConfigured: { exitCode: 6, connected: false, secured: false, found: "" },
};

export function network(
  address: string,
  change: Partial<NetworkSeen> = {},
): NetworkSeen {
  const gateway = address.replace(/\d+$/, "1");
  return {
    routes: [
      { interface: "eth0", to: "0.0.0.0/0", gateway },
      {
        interface: "eth0",
        to: address.replace(/\.\d+\.\d+$/, ".0.0/16"),
        gateway: "0.0.0.0",
      },
    ],
    resolv: ["nameserver 127.0.0.11"],
    links: [{ name: "eth0", mtu: 1500 }],
    proxies: [],
    lookup: { ...works, found: "140.82.121.6" },
    ...{ byAddress: works, byName: works, asConfigured: works, pings: [] },
    ...change,
  };
}

export function rules(change: Partial<RulesSeen> = {}): RulesSeen {
  return {
    forwarding: true,
    iptables: "iptables v1.8.10 (nf_tables)",
    rules: [
      "filter: :FORWARD DROP [0:0]",
      "filter: -A FORWARD -j DOCKER-USER",
      "filter: -A FORWARD -j DOCKER-FORWARD",
      "nat: -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE",
      "nat: -A POSTROUTING -s 172.18.0.0/16 ! -o br-1 -j MASQUERADE",
      "nat: -A POSTROUTING -s 172.20.0.0/16 ! -o br-2 -j MASQUERADE",
    ],
    otherRules: [],
    forwardChains: ["ip filter FORWARD drop"],
    ...change,
  };
}

export function runner(change: Partial<RunnerSeen> = {}): RunnerSeen {
  const own = network("172.18.0.5");
  return {
    name: "daytona-runner-1",
    isContainer: true,
    domain: "runner",
    docker: { value: "28.5.2" },
    network: {
      ...own,
      routes: [
        ...own.routes,
        { interface: "br-2", to: "172.20.0.0/16", gateway: "0.0.0.0" },
      ],
    },
    rules: rules(),
    networks: [{ name: "runner-bridge", subnets: ["172.20.0.0/16"] }],
    sandboxes: [id],
    sandbox: {
      ...{ id, container: "0123456789abcdef", state: "running" },
      ...{ address: "172.20.0.2", networks: ["runner-bridge"] },
      daemon: { value: '{"version":"v0.190.0"}' },
    },
    ...change,
  };
}

export function server(change: Partial<ServerSeen> = {}): ServerSeen {
  return {
    os: "Ubuntu 24.04.3 LTS, kernel 6.8.0",
    isRoot: true,
    docker: { value: "28.5.2" },
    host: network("203.0.113.10"),
    rules: rules(),
    networks: [{ name: "daytona_daytona-network", subnets: ["172.18.0.0/16"] }],
    listeners: ["443 caddy *:443"],
    ...{ units: [], proxies: [], dialErrors: [] },
    containers: [
      {
        ...{ service: "runner", name: "daytona-runner-1", state: "running" },
        ...{ image: "daytonaio/daytona-runner", project: "daytona" },
      },
    ],
    config: { version: "v0.190.0" },
    proxyVersion: "v0.190.0",
    proxyToRunner: { value: "answers" },
    runner: runner(),
    ...change,
  };
}

/** By an API key alone. */
export function byKey(change: Partial<Observations> = {}): Observations {
  const url = "https://proxy.example.net/toolbox";
  return {
    asked: {
      ...{ api: "https://daytona.example.net/api", hasKey: true },
      target: { name: "api.github.com", address: "140.82.121.6" },
    },
    api: {
      config: { value: { version: "v0.190.0", proxyToolboxUrl: url } },
      key: "accepted",
      sandbox: {
        value: {
          ...{ id, state: "started", daemonVersion: "v0.190.0" },
          toolboxProxyUrl: url,
        },
      },
    },
    sites: [
      {
        ...{ what: "toolbox", url: "https://proxy.example.net/health" },
        addresses: { value: ["203.0.113.10"] },
        response: {
          value: { status: 200, cloudflare: false, version: "v0.190.0" },
        },
      },
    ],
    toolbox: {
      ...{ url, way: "proxy", byProxy: { value: "v0.190.0" } },
      shell: { value: { exitCode: 0, result: "second\n" } },
      limited: { value: { limit: 2, seconds: 2.1 } },
      repeated: { value: { runs: 40, lost: 0 } },
    },
    sandbox: { value: { ...network("172.20.0.2"), by: "toolbox" } },
    ...change,
  };
}

/** By SSH alone. */
export function bySsh(
  change: Partial<ServerSeen> = {},
  sandbox: Partial<NetworkSeen> = {},
): Observations {
  return {
    asked: {
      ...{ ssh: "root@203.0.113.10", hasKey: false },
      target: { name: "api.github.com", address: "140.82.121.6" },
    },
    sites: [],
    server: { value: server(change) },
    sandbox: { value: { ...network("172.20.0.2", sandbox), by: "ssh" } },
  };
}
