/** How long suites take: recorded by `npm test -- --record`, for order and estimate. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkout } from "../checkout.ts";

const file = join(checkout, "test/durations.json");

/** Seconds by a suite's path in the checkout. */
export type Durations = Readonly<Record<string, number>>;

export function readDurations(): Durations {
  return JSON.parse(readFileSync(file, "utf8")) as Durations;
}

/** Keeps what was recorded of suites that did not run this time. */
export function recordDurations(measured: Durations): void {
  const all = Object.entries({ ...readDurations(), ...measured });
  const sorted = all
    .map(([suite, seconds]) => [suite, Math.ceil(seconds)] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  writeFileSync(
    file,
    `${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n`,
  );
}
