import type { Machine } from "../driver.ts";
import type { Road } from "./roads.ts";

/** What a run of the gateway's bench found out; medians of its rounds. */
export interface GatewayResults {
  /** ISO 8601. */
  readonly date: string;
  readonly machine: Machine;
  readonly roads: Readonly<Record<Road, RoadFigures>>;
  /** Requests per second at which latency was measured. */
  readonly latencyRate: number;
  /** Inspect's rate to splice's. */
  readonly inspectToSplice: { readonly http1: number; readonly http2: number };
  /** What more of something does to a road: the rate with it to the one without. */
  readonly grown: Readonly<
    Record<Growth, Readonly<Record<GrownRoad, Readonly<Record<Load, Change>>>>>
  >;
}

export const growths = ["rules", "sandboxes"] as const;
export type Growth = (typeof growths)[number];

export const grownRoads = ["splice", "inspect"] as const;
export type GrownRoad = (typeof grownRoads)[number];

export type Load = "http1" | "connections";

export interface RoadFigures {
  /** Requests over connections that are kept. */
  readonly http1: Rate;
  readonly http2: Rate;
  /** New connections of one request each, TLS resumed. */
  readonly connections: Rate;
  /** Large bodies, in megabytes (10⁶). */
  readonly body: Rate;
  readonly latency: Latency;
  /** What the road adds to a direct one. */
  readonly added: Latency;
  /** Until the first event of a stream, over a new connection. */
  readonly firstEvent: Latency;
}

export interface Rate {
  readonly perSecond: number;
  /** Of the gateway's core, for one: HAProxy and its recursor. */
  readonly cpuMicroseconds: number;
}

/** In milliseconds. */
export interface Latency {
  readonly p50: number;
  readonly p99: number;
}

/** Ratios, with to without. */
export interface Change {
  readonly rate: number;
  readonly cpu: number;
}
