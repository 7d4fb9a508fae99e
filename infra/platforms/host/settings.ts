/** The part of the stack's configuration that only the platform `host` has. */
import * as z from "zod";
import {
  hostAndPort,
  ipAddressAndPort,
  isIpAndPort,
} from "../../config/address.ts";
import { port, wrong } from "../../config/values.ts";
import { healthPort, otherSitesPorts } from "../../machine/places.ts";
import { proxyPort } from "./daytona-ports.ts";
import { type Server, serverSettings } from "./server.ts";
import { usualOpenPorts } from "./server-firewall.ts";

/** As name servers write it (RFC 5952), so that it can be compared. */
const ipv6 = z
  .ipv6()
  .transform((text) => new URL(`http://[${text}]`).hostname.slice(1, -1));

const notSocket = wrong(
  `is not an IP address and a port; write one such as 127.0.0.1:${String(otherSitesPorts.https)}`,
);
const socket = z
  .string()
  .regex(ipAddressAndPort, { ...notSocket, abort: true })
  .refine(isIpAndPort, notSocket);

export const hostSettings = serverSettings.extend({
  publicAddresses: z
    .strictObject({
      ipv4: z.array(z.ipv4()).default([]).describe("IPv4 addresses."),
      ipv6: z.array(ipv6).prefault([]).describe("IPv6 addresses."),
    })
    .refine(({ ipv4, ipv6 }) => ipv4.length + ipv6.length > 0, {
      error: "it names no address; write ipv4: [203.0.113.10], or remove it",
    })
    .optional()
    .describe(
      "Addresses that the sandboxes' names lead to; address when that is an address.",
    ),
  listen: z
    .array(z.union([z.ipv4(), ipv6]))
    .min(1)
    .optional()
    .describe(
      "Addresses of the server that the edge takes 443 and 80 at, where others have those ports of its other addresses; all when absent.",
    ),
  otherSites: z
    .strictObject({
      https: socket.meta({
        description: `Its IP and port for HTTPS, for example 127.0.0.1:${String(otherSitesPorts.https)}.`,
        value: "<IP>:<port>",
      }),
      http: socket.meta({
        description: `Its IP and port for HTTP, for example 127.0.0.1:${String(otherSitesPorts.http)}.`,
        value: "<IP>:<port>",
      }),
      proxyProtocol: z
        .boolean()
        .default(false)
        .describe(
          "Tells it the client by a PROXY header, version 2, which it must expect; else all its clients come from this server.",
        ),
    })
    .optional()
    .describe(
      "The server's own web server: what comes to 443 and 80 for another name goes to it as it is. Costs connections a hop.",
    ),
  openPorts: z
    .array(port)
    .default(() => [...usualOpenPorts])
    .describe(
      "Ports of Daytona's that everybody reaches; its others are closed.",
    ),
  operators: z
    .array(z.cidrv4())
    .default([])
    .describe(
      `IPv4 networks that reach the closed ports all the same, and the edge's figures (port ${String(healthPort)}).`,
    ),
  baseSystem: z
    .strictObject({
      file: z
        .string()
        .optional()
        .describe(
          "Archive of a tree, in place of a mirror: a path on the computer that runs Pulumi, or a URL that the servers reach.",
        ),
      sha256: z
        .string()
        .regex(/^[0-9a-f]{64}$/, {
          error: "it is no SHA-256; write the 64 digits that sha256sum prints",
        })
        .optional()
        .describe("SHA-256 of that file; sha256sum prints it."),
      mirror: z
        .url({ protocol: /^https?$/ })
        .optional()
        .describe(
          "Mirror of Debian that the servers reach; that of the server's own apt when absent, where the server is Debian.",
        ),
      securityMirror: z
        .url({ protocol: /^https?$/ })
        .optional()
        .describe(
          "Mirror of debian-security; the server's own, or mirror with -security behind it, when absent.",
        ),
    })
    .refine(
      ({ file, sha256 }) => (file === undefined) === (sha256 === undefined),
      { error: "file and sha256 belong together; set both, or none" },
    )
    .optional()
    .describe(
      "Where the Debian 13 comes from that programs run from, whatever the servers are.",
    ),
  runners: z
    .array(serverSettings)
    .min(1)
    .optional()
    .describe(
      "Servers that sandboxes run on, each with a gateway; this one when absent.",
    ),
});

export type HostSettings = z.infer<typeof hostSettings>;

/** Where Daytona's proxy is, with Daytona on the same server. */
export const daytonaBeside = {
  mode: "daytona",
  url: `http://127.0.0.1:${String(proxyPort)}`,
};

/** Of the other sites' sockets those that the edge listens at itself, by their key. */
export function ownSockets({
  listen,
  otherSites,
}: HostSettings): ("https" | "http")[] {
  if (!otherSites) return [];
  return (["https", "http"] as const).filter((key) => {
    const { host, port } = hostAndPort(otherSites[key]);
    return [80, 443].includes(port) && (listen?.includes(host) ?? true);
  });
}

/** Each server once, the edge's first: what it says of itself counts. */
export function serversOf(settings: HostSettings): Server[] {
  const runners = settings.runners ?? [];
  return [
    settings,
    ...runners.filter(({ address }) => address !== settings.address),
  ];
}

/** The addresses that the sandboxes' names lead to; none when they are not known. */
export function publicAddresses({ address, publicAddresses }: HostSettings): {
  readonly ipv4: readonly string[];
  readonly ipv6: readonly string[];
} {
  if (publicAddresses) return publicAddresses;
  const is = (kind: z.ZodType) => kind.safeParse(address).success;
  return {
    ipv4: is(z.ipv4()) ? [address] : [],
    ipv6: is(z.ipv6()) ? [address] : [],
  };
}
