/** The part of the stack's configuration that only the platform `host` has. */
import * as z from "zod";
import { port } from "../../config/values.ts";
import { healthPort } from "../../machine/places.ts";
import { proxyPort } from "./daytona-ports.ts";
import { type Server, serverSettings } from "./server.ts";
import { usualOpenPorts } from "./server-firewall.ts";

/** As name servers write it (RFC 5952), so that it can be compared. */
const ipv6 = z
  .ipv6()
  .transform((text) => new URL(`http://[${text}]`).hostname.slice(1, -1));

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
