/**
 * Suites change their lab, so while one runs it has a lab to itself. Labs stay
 * from suite to suite; the first that takes one starts it. Vitest runs this
 * before each suite's file, in the process that runs the suite.
 */
import { execa } from "execa";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { needOf } from "../../scripts/test/need.ts";
import type { Places } from "../../scripts/test/places.ts";

const { testPath = "" } = expect.getState();
const onlySurroundings = needOf(testPath) === "surroundings";
const places = JSON.parse(process.env.DAYTONA_EDGE_PLACES ?? "") as Places;
const numbers = onlySurroundings
  ? range(places.whole + 1, places.surroundings)
  : range(1, places.whole);

process.env.DAYTONA_EDGE_LAB_NUMBER = String(await take(numbers));

// What says where the lab is reads the number once, so it comes after.
const { checkout } = await import("../../scripts/checkout.ts");
const { livingLab } = await import("../../scripts/lab/namespaces.ts");

if (livingLab() === undefined) {
  const start = join(checkout, "scripts/start.ts");
  const { all, failed } = await execa(
    process.execPath,
    // That a start proves itself is for the lifecycle's suite.
    [start, onlySurroundings ? "--no-stacks" : "--no-verify"],
    { all: true, reject: false },
  );
  if (failed) throw new Error(all);
}

/** Takes the first lab that is free, until this process ends. */
async function take(numbers: readonly number[]): Promise<number> {
  for (;;) {
    for (const number of numbers) if (await hold(number)) return number;
    await sleep(200);
  }
}

/** A socket in the kernel's own name space has one holder, and goes with it. */
function hold(number: number): Promise<boolean> {
  const name = `\0${import.meta.dirname}/lab-${String(number)}`;
  return new Promise((resolve) => {
    const server = createServer().unref();
    server.once("error", () => {
      resolve(false);
    });
    server.listen(name, () => {
      resolve(true);
    });
  });
}

function range(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => first + index);
}
