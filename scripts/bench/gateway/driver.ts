/**
 * The part of `npm run bench -- gateway` that runs inside its container: starts
 * the origin and the gateway, loads the roads, and prints progress and, last,
 * the results as JSON.
 * environment: BENCH_QUICK for short runs
 */
import { type ChildProcess, execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { alternate } from "../alternate.ts";
import { drive, isQuick, machine, say, startJournal } from "../driver.ts";
import { median, percentile } from "../figures.ts";
import { stop } from "../processes.ts";
import { checkRoads } from "./check-roads.ts";
import { layGateway, startGateway, startRecursor } from "./gateway.ts";
import {
  body,
  connectSandboxes,
  connections,
  costed,
  firstEvents,
  http1,
  http2,
  latency,
} from "./loads.ts";
import { startOrigin } from "./origin.ts";
import { originAddress } from "./places.ts";
import {
  type Change,
  type GatewayResults,
  type Latency,
  type Load,
  type Rate,
  growths,
  grownRoads,
} from "./results.ts";
import { type Road, hostOf, roads, rules, rulesAmong } from "./roads.ts";

const rounds = isQuick ? 3 : 7;
const many = 1_000;

/** HAProxy and its recursor. */
type Gateway = readonly ChildProcess[];

const middle = (values: readonly Rate[]): Rate => ({
  perSecond: median(values.map((rate) => rate.perSecond)),
  cpuMicroseconds: median(values.map((rate) => rate.cpuMicroseconds)),
});

/** Every road under one load. */
async function eachRoad<Figure>(
  name: string,
  measure: (road: Road) => Promise<Figure>,
): Promise<Record<Road, Figure[]>> {
  const figures = await alternate(roads, rounds, (road, round) => {
    say(`${name}: round ${String(round)} of ${String(rounds)}`);
    return measure(road);
  });
  console.error(`${name}: ${JSON.stringify(figures)}`);
  return figures;
}

async function measureRoads(gateway: Gateway) {
  const rated = (name: string, work: (road: Road) => Promise<number>) =>
    eachRoad(name, (road) => costed(gateway, () => work(road)));
  const one = await rated("HTTP/1.1", http1);
  const two = await rated("HTTP/2", http2);
  const fresh = await rated("new connections", connections);
  const large = await rated("large bodies", body);
  // All at the same, so that the slowest is at half of what it can.
  const latencyRate =
    Math.min(...roads.map((road) => middle(one[road]).perSecond)) / 2;
  const times = await eachRoad("latency", (road) => latency(road, latencyRate));
  say("first events");
  const events = await firstEvents(roads);

  const ratio = (rates: Record<Road, Rate[]>) =>
    median(
      rates.inspect.map(
        ({ perSecond }, i) => perSecond / (rates.splice[i]?.perSecond ?? 0),
      ),
    );
  const figuresOf = (road: Road) => {
    const time = (of: keyof Latency) => median(times[road].map((t) => t[of]));
    const more = (of: keyof Latency) =>
      median(times[road].map((t, i) => t[of] - (times.direct[i]?.[of] ?? 0)));
    const event = events[hostOf(road)] ?? [];
    return {
      http1: middle(one[road]),
      http2: middle(two[road]),
      connections: middle(fresh[road]),
      body: middle(large[road]),
      latency: { p50: time("p50"), p99: time("p99") },
      added: { p50: more("p50"), p99: more("p99") },
      firstEvent: { p50: percentile(event, 50), p99: percentile(event, 99) },
    };
  };
  return {
    roads: Object.fromEntries(
      roads.map((road) => [road, figuresOf(road)]),
    ) as GatewayResults["roads"],
    latencyRate,
    inspectToSplice: { http1: ratio(one), http2: ratio(two) },
  };
}

/** The same roads with few rules, with many, and with many sandboxes connected. */
async function measureGrown(
  recursor: ChildProcess,
  env: NodeJS.Dict<string>,
  check: () => Promise<void>,
): Promise<GatewayResults["grown"]> {
  const loads: Record<Load, (road: Road) => Promise<number>> = {
    http1,
    connections,
  };
  const cases = grownRoads.flatMap((road) =>
    (["http1", "connections"] as const).map((load) => ({ road, load })),
  );
  const figures = await alternate(
    ["few", ...growths] as const,
    rounds,
    async (growth, round) => {
      say(`${growth}: round ${String(round)} of ${String(rounds)}`);
      const gateway = await (growth === "rules"
        ? startGateway("many", rulesAmong(many), env)
        : startGateway("few", rules, env));
      // It also leaves a connection to the origin, as a gateway in use has one:
      // a first crowd would each open its own, which costs more ever after.
      await check();
      const holder =
        growth === "sandboxes"
          ? await connectSandboxes(many, grownRoads)
          : undefined;
      const rates: Rate[] = [];
      for (const { road, load } of cases) {
        rates.push(await costed([gateway, recursor], () => loads[load](road)));
      }
      if (holder) await stop(holder);
      await stop(gateway);
      return rates;
    },
  );
  console.error(`grown: ${JSON.stringify(figures)}`);
  const change = (growth: (typeof growths)[number], index: number): Change => {
    const ratio = (of: keyof Rate) =>
      median(
        figures[growth].map(
          (rates, i) =>
            (rates[index]?.[of] ?? 0) / (figures.few[i]?.[index]?.[of] ?? 0),
        ),
      );
    return { rate: ratio("perSecond"), cpu: ratio("cpuMicroseconds") };
  };
  return Object.fromEntries(
    growths.map((growth) => [
      growth,
      Object.fromEntries(
        grownRoads.map((road) => [
          road,
          Object.fromEntries(
            cases.flatMap((one, index) =>
              one.road === road ? [[one.load, change(growth, index)]] : [],
            ),
          ),
        ]),
      ),
    ]),
  ) as GatewayResults["grown"];
}

async function measure(): Promise<GatewayResults> {
  execFileSync("/bench/files/network.sh");
  const env = layGateway();
  const addressOf = (road: Road) =>
    road === "direct" ? originAddress : env.GATEWAY_ADDRESS;
  writeFileSync(
    "/etc/hosts",
    [
      "127.0.0.1 localhost",
      ...roads.map((road) => `${addressOf(road) ?? ""} ${hostOf(road)}`),
      "",
    ].join("\n"),
  );
  startJournal();
  await startOrigin();
  const recursor = await startRecursor();
  const gateway = await startGateway("few", rules, env);
  const check = () => checkRoads(addressOf);
  await check();
  const found = await measureRoads([gateway, recursor]);
  await stop(gateway);
  const grown = await measureGrown(recursor, env, check);
  return {
    date: new Date().toISOString(),
    machine: machine({
      haproxy: ["haproxy", "-v"],
      unbound: ["unbound", "-V"],
      nginx: ["nginx", "-v"],
    }),
    ...found,
    grown,
  };
}

drive(measure);
