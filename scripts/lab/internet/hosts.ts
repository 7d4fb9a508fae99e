/** Every name and address of the lab's internet: the only place where they stand. */

/** The machine itself. */
export const internetAddress = "198.18.0.2";
export const internetAddress6 = "2001:db8:198:18::2";

/** Where Cloudflare's second name server listens, so that "all" means two. */
export const secondNameServer = "198.18.0.22";

export interface Host {
  readonly name: string;
  readonly ipv4: string;
  readonly ipv6?: string;
}

/** The web that sandboxes want to reach, may they or not. */
export const webHosts: readonly Host[] = [
  host("openrouter.ai", "203.0.113.10", "2001:db8:203::10"),
  host("api.anthropic.com", "203.0.113.11", "2001:db8:203::11"),
  host("api.github.com", "203.0.113.12", "2001:db8:203::12"),
  host("example.org", "203.0.113.20", "2001:db8:203::20"),
];

/** What an open resolver says of names that do not exist: something, to be seen. */
export const strayAddress = "203.0.113.99";

/** Addresses that answer by themselves: web page, open resolver, UDP echo. */
export const bareAddresses: readonly string[] = ["1.1.1.1", "8.8.8.8"];

/** Services of the stack that the internet has, under names of their own. */
export const serviceHosts: readonly Host[] = [
  host("cloudflare.internal", internetAddress, internetAddress6),
  host("acme.internal", internetAddress, internetAddress6),
  host("ns1.cloudflare.internal", internetAddress),
  host("ns2.cloudflare.internal", secondNameServer),
];

export const cloudflareNameServers = [
  "ns1.cloudflare.internal",
  "ns2.cloudflare.internal",
];

/** Zone that Cloudflare's stand-in holds. */
export const cloudflareZone = "defikit.net";

function host(name: string, ipv4: string, ipv6?: string): Host {
  return { name, ipv4, ...(ipv6 === undefined ? {} : { ipv6 }) };
}
