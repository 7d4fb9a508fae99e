/**
 * Opens streams of events over new, verified connections, the hosts in turn,
 * and prints as JSON how long each host's took until their first event, in
 * milliseconds.
 * usage: first-event.ts COUNT HOST...
 */
import { readFileSync } from "node:fs";
import { get } from "node:https";
import { authorities } from "./places.ts";

const [count = "0", ...hosts] = process.argv.slice(2);
const ca = authorities.map((file) => readFileSync(file));

function firstEvent(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const request = get(
      `https://${host}/api/events`,
      { ca, agent: false },
      (response) => {
        response.once("data", (data: Buffer) => {
          const time = performance.now() - start;
          response.destroy();
          if (data.toString().startsWith("data: first")) resolve(time);
          else reject(new Error(`${host} answered ${data.toString()}`));
        });
      },
    );
    request.once("error", reject);
  });
}

async function measure(): Promise<Record<string, number[]>> {
  const times = hosts.map((): number[] => []);
  for (let round = 0; round < Number(count); round++) {
    for (const [index, host] of hosts.entries()) {
      times[index]?.push(await firstEvent(host));
    }
  }
  return Object.fromEntries(hosts.map((host, i) => [host, times[i] ?? []]));
}

measure().then(
  (times) => {
    console.log(JSON.stringify(times));
    process.exit();
  },
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
