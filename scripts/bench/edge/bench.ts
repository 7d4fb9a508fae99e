/** `npm run bench`: the edge beside a bare HAProxy, the request's nginx example and Caddy. */
import Table from "cli-table3";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { edgeBundle } from "../../../infra/edge/bundle.ts";
import { limitsSchema } from "../../../infra/edge/limits.ts";
import type { Bundle } from "../../../infra/machine/bundle.ts";
import { checkout } from "../../checkout.ts";
import { runBench } from "../container.ts";
import { thousands } from "../thousands.ts";
import { chart } from "./chart.ts";
import type { Results } from "./results.ts";

export async function benchEdge(options: {
  readonly quick?: true;
  readonly json?: true;
  readonly save?: true;
}): Promise<void> {
  const results = await runBench<Results>({
    folder: "edge",
    bundle: bundle(),
    programs: ["echo", "sockets", "hosts"],
    quick: options.quick ?? false,
  });
  const json = JSON.stringify(results, undefined, 2);
  if (options.save) {
    const place = join(checkout, "test/bench");
    writeFileSync(join(place, "results.json"), `${json}\n`);
    writeFileSync(join(place, "chart.svg"), chart(results));
  }
  console.log(options.json ? json : table(results));
}

function bundle(): Bundle {
  const most = 1_000_000;
  return edgeBundle({
    domain: "sandbox.daytona.defikit.net",
    access: "signed",
    upstream: { mode: "daytona", url: "http://127.0.0.1:4000" },
    toolbox: false,
    deniedPorts: [2280, 5900, 5901, 6080, 22220, 22222, 33333],
    // On, and out of the way: one client makes all the load.
    limits: limitsSchema.parse({
      client: {
        handshakesPerSecond: 100_000,
        connections: most,
        requestsPerSecond: most,
        concurrentRequests: most,
        concurrentStreams: most,
      },
      sandbox: {
        requestsPerSecond: most,
        concurrentRequests: most,
        concurrentStreams: most,
      },
    }),
  });
}

function table(results: Results): string {
  const { rate, latency, webSockets, memory, machine } = results;
  const rows = new Table({
    head: ["what", "edge", "bare HAProxy", "", "nginx", "Caddy"],
    style: { head: [], border: [], compact: true },
    colAligns: ["left", "right", "right", "right", "right", "right"],
  });
  const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
  const ms = (value: number) => `${value.toFixed(2)} ms`;
  rows.push(
    [
      "requests/s, HTTP/1.1",
      thousands(rate.http1.edge),
      thousands(rate.http1.bare),
      `× ${rate.http1.ratio.toFixed(2)}`,
      thousands(rate.nginx),
      thousands(rate.caddy),
    ],
    [
      "requests/s, HTTP/2",
      thousands(rate.http2.edge),
      thousands(rate.http2.bare),
      `× ${rate.http2.ratio.toFixed(2)}`,
      "",
      "",
    ],
    [
      "p99 at half load",
      ms(latency.edge),
      ms(latency.bare),
      `+ ${ms(latency.edge - latency.bare)}`,
      "",
      "",
    ],
    [
      `${thousands(webSockets.count)} idle WebSockets`,
      mebibytes(webSockets.bytes),
      "",
      `${(webSockets.bytes / webSockets.count / 1024).toFixed(0)} KiB each`,
      "",
      "",
    ],
    [
      "memory, before",
      mebibytes(memory.before),
      "",
      "",
      mebibytes(memory.nginx),
      mebibytes(memory.caddy),
    ],
    ["after many new hosts", mebibytes(memory.after), "", "", "", ""],
    ["after as many again", mebibytes(memory.afterMore), "", "", "", ""],
  );
  const { haproxy, nginx, caddy } = machine.versions;
  return `${rows.toString()}\nOne core of ${machine.processor}, Linux ${machine.kernel}; HAProxy ${haproxy ?? "?"}, nginx ${nginx ?? "?"}, Caddy ${caddy ?? "?"}`;
}
