import type { Machine } from "../driver.ts";

/** What a run of the edge's bench found out. */
export interface Results {
  /** ISO 8601. */
  readonly date: string;
  readonly machine: Machine;
  /** Requests per second on one core; ratio is the edge's to bare HAProxy's. */
  readonly rate: {
    readonly http1: Compared;
    readonly http2: Compared;
    readonly nginx: number;
    readonly caddy: number;
  };
  /** 99th percentile at half of the edge's rate, in milliseconds. */
  readonly latency: { readonly edge: number; readonly bare: number };
  readonly webSockets: {
    readonly count: number;
    /** Memory of the edge with them open, in bytes. */
    readonly bytes: number;
  };
  /** Memory of the edge, in bytes. */
  readonly memory: {
    readonly before: number;
    /** After 100 000 sandbox hosts that it had never seen. */
    readonly after: number;
    /** And after as many again. */
    readonly afterMore: number;
    readonly nginx: number;
    readonly caddy: number;
  };
}

export interface Compared {
  readonly edge: number;
  readonly bare: number;
  readonly ratio: number;
}
