/** What one client and one sandbox may take of an edge. */
import * as z from "zod";
import { between } from "../config/values.ts";

/** HAProxy averages its rates over this many seconds; bursts may be as long. */
export const rateWindow = 10;

const count = (most: number, standard: number) =>
  between(1, most).default(standard);

/** @param atOnce how many requests, and how many streams, when nothing is said */
const requests = (atOnce: number) => ({
  requestsPerSecond: count(1_000_000, 1_000).describe(
    `Requests per second, averaged over ${String(rateWindow)} s; more are a 429.`,
  ),
  concurrentRequests: count(1_000_000, atOnce).describe(
    "Requests at a time, streams included; more are a 429.",
  ),
  concurrentStreams: count(1_000_000, atOnce).describe(
    "WebSockets, event streams and gRPC calls at a time; more are a 429.",
  ),
});

/**
 * Limits hold for each edge: two edges let through twice as much. A client is
 * an IPv4 address, or an IPv6 /64, which is what one subscriber gets.
 */
export const limitsSchema = z.strictObject({
  client: z
    .strictObject({
      handshakesPerSecond: count(100_000, 100).describe(
        "New TLS connections per second; more are closed at once.",
      ),
      connections: count(1_000_000, 5_000).describe(
        "Open connections; more are closed at once.",
      ),
      ...requests(2_000),
    })
    .prefault({})
    .describe(
      "What one client may take: an IPv4 address, or an IPv6 /64, on ports 443 and 80 together.",
    ),
  plainConnections: count(1_000_000, 20_000).describe(
    "Open connections to port 80, of all clients together; more wait, and the rest of the process' connections are port 443's.",
  ),
  sandbox: z
    .strictObject({
      ...requests(1_000),
    })
    .prefault({})
    .describe(
      "What one sandbox may take, counted once a request is let in, so that strangers cannot use it up.",
    ),
  // Less would not hold a certificate that is put in by the agent.
  headBytes: between(16_384, 131_072)
    .default(16_384)
    .describe("Size of a request head, in bytes."),
  headFields: between(16, 1_000)
    .default(128)
    .describe("Fields of a request head."),
  headSeconds: between(1, 300)
    .default(10)
    .describe("How long a whole request head may take, in seconds."),
  bodySilenceSeconds: between(1, 86_400)
    .default(60)
    .describe(
      "How long a client may be silent in the middle of a body, in seconds.",
    ),
  halfClosedSeconds: between(5, 86_400)
    .default(60)
    .describe(
      "How long a stream that its client has ended may wait for the sandbox's end, in seconds.",
    ),
  answerSeconds: between(1, 86_400)
    .default(86_400)
    .describe(
      "How long an answer may take to begin, and be silent within it, in seconds.",
    ),
  drainMinutes: between(1, 1_440)
    .default(30)
    .describe(
      "How long streams may live on after a reload, or when an edge drains, in minutes.",
    ),
});

export type Limits = z.infer<typeof limitsSchema>;

/** The limits as haproxy.cfg reads them. */
export function limitsEnvironment(limits: Limits): Record<string, string> {
  const { client, sandbox } = limits;
  const perWindow = (perSecond: number) => String(perSecond * rateWindow);
  return {
    EDGE_CLIENT_HANDSHAKES: perWindow(client.handshakesPerSecond),
    EDGE_CLIENT_CONNECTIONS: String(client.connections),
    EDGE_CLIENT_REQUESTS: perWindow(client.requestsPerSecond),
    EDGE_CLIENT_CONCURRENT: String(client.concurrentRequests),
    EDGE_CLIENT_STREAMS: String(client.concurrentStreams),
    EDGE_PLAIN_CONNECTIONS: String(limits.plainConnections),
    EDGE_SANDBOX_REQUESTS: perWindow(sandbox.requestsPerSecond),
    EDGE_SANDBOX_CONCURRENT: String(sandbox.concurrentRequests),
    EDGE_SANDBOX_STREAMS: String(sandbox.concurrentStreams),
    // HAProxy keeps 1024 bytes of a buffer for what it adds itself.
    EDGE_HEAD_BUFFER: String(limits.headBytes + 1_024),
    EDGE_HEAD_FIELDS: String(limits.headFields),
    EDGE_HEAD_TIMEOUT: `${String(limits.headSeconds)}s`,
    EDGE_BODY_TIMEOUT: `${String(limits.bodySilenceSeconds)}s`,
    EDGE_HALF_CLOSED_SECONDS: String(limits.halfClosedSeconds),
    EDGE_ANSWER_TIMEOUT: `${String(limits.answerSeconds)}s`,
    EDGE_DRAIN: `${String(limits.drainMinutes)}m`,
  };
}
