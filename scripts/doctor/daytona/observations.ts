/**
 * What `doctor --daytona` sees, as plain values: the table of causes reads
 * nothing else, so a test can hand it what was seen elsewhere. What is absent was
 * not asked.
 */

/** What somebody answered, or why not; a request that hangs is the latter. */
export type Answer<T> =
  | { readonly value: T; readonly error?: undefined }
  | { readonly value?: undefined; readonly error: string };

export interface Observations {
  readonly asked: Asked;
  readonly api?: ApiSeen;
  readonly sites: readonly Site[];
  readonly toolbox?: ToolboxSeen;
  readonly server?: Answer<ServerSeen>;
  /** Inside the sandbox, by SSH where that works, else by the toolbox. */
  readonly sandbox?: Answer<NetworkSeen & { readonly by: "ssh" | "toolbox" }>;
}

/** What doctor was given. */
export interface Asked {
  readonly api?: string | undefined;
  readonly hasKey: boolean;
  readonly ssh?: string | undefined;
  readonly sandbox?: string | undefined;
  /** The name that sandboxes are to reach, and its address as this computer knows it. */
  readonly target: Target;
}

export interface Target {
  readonly name: string;
  readonly address: string;
}

/** `GET /api/config` of Daytona, as far as it is looked at. */
export interface DaytonaConfig {
  readonly version?: string | undefined;
  readonly proxyToolboxUrl?: string | undefined;
  readonly proxyTemplateUrl?: string | undefined;
}

/** `GET /api/sandbox/{id}`, as far as it is looked at. */
export interface SandboxRecord {
  readonly id: string;
  readonly state: string;
  readonly daemonVersion?: string | undefined;
  readonly networkBlockAll?: boolean | undefined;
  readonly networkAllowList?: string | undefined;
  readonly toolboxProxyUrl?: string | undefined;
  readonly errorReason?: string | undefined;
}

export interface ApiSeen {
  readonly config: Answer<DaytonaConfig>;
  /** Absent without a key. */
  readonly sandbox?: Answer<SandboxRecord>;
  /** Whether the API took the key. */
  readonly key?: "accepted" | "refused";
}

/** A public address of Daytona's, as this computer sees it. */
export interface Site {
  readonly what: "API" | "toolbox" | "preview" | "callers' address";
  readonly url: string;
  readonly addresses: Answer<readonly string[]>;
  /** Absent where its name has no address. */
  readonly response?: Answer<SiteResponse>;
}

export interface SiteResponse {
  readonly status: number;
  /** Cloudflare's `cf-ray`, so it is before it. */
  readonly cloudflare: boolean;
  /** What Daytona's proxy says on `/health`. */
  readonly version?: string | undefined;
}

export interface ToolboxSeen {
  /** As Daytona's API names it. */
  readonly url?: string | undefined;
  /** Version of the sandbox's daemon, by Daytona's proxy. */
  readonly byProxy: Answer<string>;
  /** The way that commands were run by: the API's own where the proxy's fails. */
  readonly way: "proxy" | "API";
  readonly shell: Answer<Execution>;
  /** How long a command took whose limit was `limit`, in seconds. */
  readonly limited?: Answer<{
    readonly limit: number;
    readonly seconds: number;
  }>;
  /** How often `true` was run, and how often that was -1. */
  readonly repeated?: Answer<{ readonly runs: number; readonly lost: number }>;
}

export interface Execution {
  readonly exitCode: number;
  readonly result: string;
}

/** reach.sh: one network namespace, from a process in it. */
export interface NetworkSeen {
  readonly routes: readonly Route[];
  readonly resolv: readonly string[];
  readonly links: readonly { readonly name: string; readonly mtu: number }[];
  /** Names of variables that name a proxy, with its host alone. */
  readonly proxies: readonly string[];
  readonly lookup?: Probe | undefined;
  /** By the address that the doctor's computer has, without a proxy. */
  readonly byAddress?: Probe | undefined;
  readonly byName?: Probe | undefined;
  /** As a program does it: by name, and by what the environment says of a proxy. */
  readonly asConfigured?: Probe | undefined;
  /** Sizes of ICMP packets that must not be split, and whether they came back. */
  readonly pings: readonly { readonly size: number; readonly came: boolean }[];
}

export interface Route {
  readonly interface: string;
  /** CIDR; the default is 0.0.0.0/0. */
  readonly to: string;
  readonly gateway: string;
}

/** One attempt at HTTPS, or at a name. */
export interface Probe {
  /** Of curl or of getent; 0 is success. */
  readonly exitCode: number;
  /** Whether the TCP connection stood. */
  readonly connected: boolean;
  /** Whether the TLS handshake was finished. */
  readonly secured: boolean;
  /** What was found, for a name. */
  readonly found: string;
}

/** rules.sh: the packet filter of one network namespace. */
export interface RulesSeen {
  readonly forwarding: boolean;
  /** For example "iptables v1.8.9 (nf_tables)". */
  readonly iptables: string;
  /** Lines of iptables-save, with their table before: "nat: -A POSTROUTING …". */
  readonly rules: readonly string[];
  /** The same of the other variant of iptables. */
  readonly otherRules: readonly string[];
  /** Base chains of nftables that see forwarded packets: "inet firewalld filter_FORWARD drop". */
  readonly forwardChains: readonly string[];
  /** Why rules could not be read. */
  readonly error?: string | undefined;
}

export interface DockerNetwork {
  readonly name: string;
  readonly subnets: readonly string[];
}

export interface ServerSeen {
  readonly os: string;
  readonly isRoot: boolean;
  /** Version, or why Docker cannot be asked. */
  readonly docker: Answer<string>;
  readonly host: NetworkSeen;
  readonly rules: RulesSeen;
  readonly networks: readonly DockerNetwork[];
  /** Who listens on ports that matter: "443 caddy". */
  readonly listeners: readonly string[];
  /** Firewalls and runners that run as units. */
  readonly units: readonly string[];
  /** What Docker and Daytona's containers have of proxies in their environment. */
  readonly proxies: readonly string[];
  readonly containers: readonly DaytonaContainer[];
  readonly config?: DaytonaConfig | undefined;
  readonly proxyVersion?: string | undefined;
  /** Lines of the logs of Daytona's proxy and runner with "dial tcp". */
  readonly dialErrors: readonly string[];
  /** Whether the proxy's container got an answer from the runner's domain. */
  readonly proxyToRunner?: Answer<string> | undefined;
  readonly runner?: RunnerSeen | undefined;
}

export interface DaytonaContainer {
  readonly service: "api" | "proxy" | "runner" | "ssh-gateway";
  readonly name: string;
  readonly image: string;
  readonly state: string;
  readonly project: string;
}

/** The runner, and what of its network namespace and of one sandbox was seen. */
export interface RunnerSeen {
  /** Name of its container; a unit's where it runs by the server's own Docker. */
  readonly name: string;
  readonly isContainer: boolean;
  readonly domain?: string | undefined;
  /** Whether its Docker answers. */
  readonly docker: Answer<string>;
  readonly network?: NetworkSeen | undefined;
  readonly rules?: RulesSeen | undefined;
  readonly networks: readonly DockerNetwork[];
  readonly sandboxes: readonly string[];
  /** The sandbox that was looked at. */
  readonly sandbox?: SandboxContainer | undefined;
}

export interface SandboxContainer {
  readonly id: string;
  /** Of the container, in hexadecimal digits. */
  readonly container: string;
  readonly state: string;
  readonly address: string;
  readonly networks: readonly string[];
  /** What its daemon answered to the runner. */
  readonly daemon: Answer<string>;
}
