/**
 * The names and addresses of the lab's internet: the only place where they
 * stand. files/public.network gives the addresses to the machine.
 */

export interface LabHost {
  /** Lower case, without the last dot. */
  readonly name: string;
  readonly ipv4: string;
  readonly ipv6: string;
}

/** The machine itself, on the lab's bridge; also the root name server. */
export const internetMachineHost = host(
  "internet.internal",
  "198.18.0.2",
  "2001:db8:198:18::2",
);

/**
 * Cloudflare's two name servers, so that "every authoritative server" means
 * more than one. The second has addresses of its own.
 */
export const nameServers = {
  first: { ...internetMachineHost, name: "ns1.cloudflare.internal" },
  second: host("ns2.cloudflare.internal", "198.18.0.22", "2001:db8:203::22"),
} as const;

export const rootServer: LabHost = {
  ...internetMachineHost,
  name: "a.root-servers.internal",
};

/** What the stack talks to at Cloudflare and at the certificate authority. */
export const cloudflareHost: LabHost = {
  ...internetMachineHost,
  name: "cloudflare.internal",
};
export const acmeHost: LabHost = {
  ...internetMachineHost,
  name: "acme.internal",
};

/** The web that sandboxes want to reach, may they or not. */
export const webHosts = {
  openRouter: host("openrouter.ai", "203.0.113.10", "2001:db8:203::10"),
  anthropic: host("api.anthropic.com", "203.0.113.11", "2001:db8:203::11"),
  gitHub: host("api.github.com", "203.0.113.12", "2001:db8:203::12"),
  /** A host that speaks HTTP/1.1 alone. */
  http1: host("http1.example.net", "203.0.113.13", "2001:db8:203::13"),
  /** A host that no rule allows. */
  forbidden: host("example.org", "203.0.113.20", "2001:db8:203::20"),
} as const;

/** Resolvers that answer anyone, with a web page on the same addresses. */
export const outsideResolvers: readonly LabHost[] = [
  host("one.one.one.one", "1.1.1.1", "2606:4700:4700::1111"),
  host("dns.google", "8.8.8.8", "2001:4860:4860::8888"),
];

/**
 * What the outside resolvers say of every name that the lab does not have:
 * whoever gets one of these has reached them. Nothing has the addresses.
 */
export const strayAnswer = {
  ipv4: "192.0.2.53",
  ipv6: "2001:db8:53::53",
  text: "answered by an outside resolver of the lab",
} as const;

/**
 * Where names lead that Cloudflare proxies. The lab has no such proxy, so
 * nothing has the addresses.
 */
export const cloudflareProxy = {
  ipv4: "203.0.113.30",
  ipv6: "2001:db8:203::30",
} as const;

/** The zone that Cloudflare's stand-in holds. */
export const cloudflareZoneName = "defikit.net";

/** Echoes every UDP datagram, on the outside resolvers' addresses. */
export const udpEchoPort = 4444;

/** Everything in the DNS that never changes. */
/** Where AWS is: on the lab's operator side, if a suite starts a stand-in there. */
export const awsHosts: readonly LabHost[] = [
  "autoscaling.eu-central-1.amazonaws.com",
  "ec2.eu-central-1.amazonaws.com",
  "secretsmanager.eu-central-1.amazonaws.com",
  "logs.eu-central-1.amazonaws.com",
  "*.s3.eu-central-1.amazonaws.com",
].map((name) => host(name, "198.18.0.1", "2001:db8:198:18::1"));

export const staticHosts: readonly LabHost[] = [
  internetMachineHost,
  rootServer,
  nameServers.first,
  nameServers.second,
  cloudflareHost,
  acmeHost,
  ...Object.values(webHosts),
  ...outsideResolvers,
];

function host(name: string, ipv4: string, ipv6: string): LabHost {
  return { name, ipv4, ipv6 };
}
