/** What one client and one sandbox may take of an edge. */
import * as z from "zod";

/** HAProxy averages its rates over this many seconds; bursts may be as long. */
export const rateWindow = 10;

const count = (most: number) => z.int().min(1).max(most);

/**
 * Limits hold for each edge: two edges let through twice as much. A client is
 * an IPv4 address, or an IPv6 /64, which is what one subscriber gets.
 */
export const limitsSchema = z.strictObject({
  client: z
    .strictObject({
      /** New TLS connections per second; more are closed at once. */
      handshakesPerSecond: count(100_000).default(100),
      /** Open connections; more are closed at once. */
      connections: count(1_000_000).default(5_000),
      requestsPerSecond: count(1_000_000).default(1_000),
      /** Requests at a time, streams included. */
      concurrentRequests: count(1_000_000).default(2_000),
      /** WebSockets, event streams and gRPC calls at a time. */
      concurrentStreams: count(1_000_000).default(2_000),
    })
    .prefault({}),
  plainConnections: count(1_000_000)
    .default(20_000)
    .describe(
      "Open connections to port 80, of all clients together; more wait, and the rest of the process' connections are port 443's.",
    ),
  /** Counted once a request is let in, so that strangers cannot use it up. */
  sandbox: z
    .strictObject({
      requestsPerSecond: count(1_000_000).default(1_000),
      concurrentRequests: count(1_000_000).default(1_000),
      concurrentStreams: count(1_000_000).default(1_000),
    })
    .prefault({}),
  /**
   * Size of a request head, in bytes, and how many fields it may have. Less
   * than 16 KiB would not hold a certificate that is put in by the agent.
   */
  headBytes: z.int().min(16_384).max(131_072).default(16_384),
  headFields: z.int().min(16).max(1_000).default(128),
  /** How long a whole request head may take, in seconds. */
  headSeconds: z.int().min(1).max(300).default(10),
  /** How long a client may be silent in the middle of a body, in seconds. */
  bodySilenceSeconds: z.int().min(1).max(86_400).default(60),
  /** How long a stream that its client has ended may wait for the sandbox's end, in seconds. */
  halfClosedSeconds: z.int().min(5).max(86_400).default(60),
  /** How long an answer may take to begin, in seconds. */
  answerSeconds: z.int().min(1).max(86_400).default(86_400),
  /** How long streams may live on after a reload, or when an edge drains, in minutes. */
  drainMinutes: z.int().min(1).max(1_440).default(30),
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
