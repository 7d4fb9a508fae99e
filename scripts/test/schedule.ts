/** In which order suites begin, and how long that will take. */
import { relative } from "node:path";
import type { TestSpecification } from "vitest/node";
import { checkout } from "../checkout.ts";
import { type Durations, readDurations } from "./durations.ts";

/** What a suite is taken to need that nobody has recorded, in seconds. */
const unknown = 30;

/** Path of a suite in the checkout. */
export function suiteName(moduleId: string): string {
  return relative(checkout, moduleId);
}

export function secondsOf(suite: string, durations: Durations): number {
  return durations[suite] ?? unknown;
}

/**
 * Vitest's sequencer. Its workers take the next suite as soon as one is free, so
 * the longest first leaves the least waiting at the end.
 */
export class LongestFirst {
  sort(specifications: TestSpecification[]): TestSpecification[] {
    const durations = readDurations();
    const seconds = ({ moduleId }: TestSpecification) =>
      secondsOf(suiteName(moduleId), durations);
    return specifications.toSorted((a, b) => seconds(b) - seconds(a));
  }

  /** One computer runs them all. */
  shard(specifications: TestSpecification[]): TestSpecification[] {
    return specifications;
  }
}

/**
 * Seconds until the last suite has ended.
 * @param running what suites that have begun still need, in seconds
 * @param waiting what the others need, in the order in which they begin
 * @param places how many run at a time
 */
export function secondsLeft(
  running: readonly number[],
  waiting: readonly number[],
  places: number,
): number {
  const ends = [...running];
  while (ends.length < places) ends.push(0);
  for (const seconds of waiting) {
    const earliest = ends.indexOf(Math.min(...ends));
    ends[earliest] = (ends[earliest] ?? 0) + seconds;
  }
  return Math.max(0, ...ends);
}
