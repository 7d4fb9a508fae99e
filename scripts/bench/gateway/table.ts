import Table from "cli-table3";
import { thousands } from "../thousands.ts";
import {
  type GatewayResults,
  type Rate,
  type RoadFigures,
  growths,
  grownRoads,
} from "./results.ts";
import { type Road, roads } from "./roads.ts";

const plain = { head: [], border: [], compact: true };

/** The results for a reader: figures of the roads, and what growth does to them. */
export function table(results: GatewayResults): string {
  const { machine } = results;
  const { haproxy, unbound, nginx } = machine.versions;
  return [
    roadTable(results),
    "In brackets: of the gateway's core, HAProxy and its recursor, for one; load and origin have the other core to share.",
    growthTable(results),
    `One core of ${machine.processor}, Linux ${machine.kernel}; HAProxy ${haproxy ?? "?"}, unbound ${unbound ?? "?"}, nginx ${nginx ?? "?"} as the origin`,
  ].join("\n");
}

function roadTable(results: GatewayResults): string {
  const rows = new Table({
    head: ["what", "direct", "splice", "inspect", "with credential"],
    style: plain,
    colAligns: ["left", "right", "right", "right", "right"],
  });
  const row = (name: string, cell: (of: RoadFigures, road: Road) => string) => {
    rows.push([name, ...roads.map((road) => cell(results.roads[road], road))]);
  };
  const rate = ({ perSecond, cpuMicroseconds }: Rate, road: Road) =>
    road === "direct"
      ? thousands(perSecond)
      : `${thousands(perSecond)} (${cpuMicroseconds.toFixed(0)} µs)`;
  row("requests/s, HTTP/1.1", ({ http1 }, road) => rate(http1, road));
  row("requests/s, HTTP/2", ({ http2 }, road) => rate(http2, road));
  row("new connections/s, TLS resumed", (of, road) =>
    rate(of.connections, road),
  );
  row("large body, MB/s", ({ body }, road) => rate(body, road));
  const at = `at ${thousands(results.latencyRate)}/s`;
  row(`p50 ${at}`, ({ latency }) => ms(latency.p50));
  row(`p99 ${at}`, ({ latency }) => ms(latency.p99));
  row("p50, added", ({ added }) => ms(added.p50));
  row("p99, added", ({ added }) => ms(added.p99));
  row("first event, p50", ({ firstEvent }) => ms(firstEvent.p50));
  row("first event, p99", ({ firstEvent }) => ms(firstEvent.p99));
  const { http1, http2 } = results.inspectToSplice;
  return `${rows.toString()}\nInspect to splice: × ${http1.toFixed(2)} over HTTP/1.1, × ${http2.toFixed(2)} over HTTP/2.`;
}

function growthTable({ grown }: GatewayResults): string {
  const rows = new Table({
    head: ["with", "road", "requests/s", "CPU", "new connections/s", "CPU"],
    style: plain,
    colAligns: ["left", "left", "right", "right", "right", "right"],
  });
  const times = (ratio: number) => `× ${ratio.toFixed(2)}`;
  for (const growth of growths) {
    for (const road of grownRoads) {
      const { http1, connections } = grown[growth][road];
      rows.push([
        `1 000 ${growth}`,
        road,
        ...[http1, connections].flatMap(({ rate, cpu }) => [
          times(rate),
          times(cpu),
        ]),
      ]);
    }
  }
  return rows.toString();
}

function ms(value: number): string {
  return `${value.toFixed(2)} ms`;
}
