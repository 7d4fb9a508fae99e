/** What one sandbox may take of a gateway. */
import * as z from "zod";
import { between } from "../config/values.ts";
import { rateWindow } from "../edge/limits.ts";

const count = (most: number, standard: number) =>
  between(1, most).default(standard);

/**
 * Limits hold for each gateway: two gateways let through twice as much. A
 * sandbox is an address.
 */
export const egressLimitsSchema = z.strictObject({
  connectionsPerSecond: count(100_000, 100).describe(
    "New connections per second; more are closed at once.",
  ),
  connections: count(1_000_000, 1_000).describe(
    "Open connections; more are closed at once.",
  ),
  requestsPerSecond: count(1_000_000, 1_000).describe(
    `Inspected requests, and those to port 80, per second, averaged over ${String(rateWindow)} s; more are a 429.`,
  ),
  concurrentRequests: count(1_000_000, 1_000).describe(
    "Such requests at a time, streams included; more are a 429.",
  ),
  perRunner: count(1_000, 5).describe(
    "On the platform aws, where all sandboxes of a runner are one address: it gets so many times what one sandbox gets.",
  ),
});

export type EgressLimits = z.infer<typeof egressLimitsSchema>;

/**
 * The limits as haproxy.cfg reads them.
 * @param seen whose address the gateway sees
 */
export function egressLimitsEnvironment(
  limits: EgressLimits,
  seen: "sandbox" | "runner",
): Record<string, string> {
  const times = seen === "runner" ? limits.perRunner : 1;
  const most = (one: number) => String(one * times);
  return {
    GATEWAY_SANDBOX_HANDSHAKES: most(limits.connectionsPerSecond * rateWindow),
    GATEWAY_SANDBOX_CONNECTIONS: most(limits.connections),
    GATEWAY_SANDBOX_REQUESTS: most(limits.requestsPerSecond * rateWindow),
    GATEWAY_SANDBOX_CONCURRENT: most(limits.concurrentRequests),
  };
}
