/** In which order suites begin, and how long that will take. */
import { relative } from "node:path";
import type { TestSpecification } from "vitest/node";
import { checkout } from "../checkout.ts";
import { type Durations, readDurations } from "./durations.ts";
import { type Need, needOf } from "./need.ts";
import type { Places } from "./places.ts";

/** What a suite is taken to last that nobody has recorded, in seconds. */
const unknown = 30;

export interface Suite {
  /** Its path in the checkout. */
  readonly name: string;
  readonly seconds: number;
  readonly need: Need;
}

export function suiteOf(moduleId: string, durations: Durations): Suite {
  const name = relative(checkout, moduleId);
  const seconds = durations[name] ?? unknown;
  return { name, seconds, need: needOf(moduleId) };
}

export interface Schedule {
  /** In the order in which they begin. */
  readonly suites: readonly Suite[];
  /** Seconds until the last has ended. */
  readonly seconds: number;
}

/**
 * The longest suite that can begin begins, whenever another has ended: Vitest's
 * places take suites in a given order, and one that has to wait for a lab keeps
 * its place from others.
 * @param running suites that have begun, with what they still need
 */
export function schedule(
  waiting: readonly Suite[],
  places: Places,
  running: readonly Suite[] = [],
): Schedule {
  const free: Record<Need, number> = {
    whole: places.whole,
    surroundings: places.surroundings,
    nothing: Infinity,
  };
  const suites: Suite[] = [];
  const rest = waiting.toSorted((a, b) => b.seconds - a.seconds);
  let now = 0;
  const live: { end: number; need: Need }[] = [];
  const begin = ({ seconds, need }: Suite) => {
    free[need]--;
    live.push({ end: now + seconds, need });
  };
  running.forEach(begin);
  while (rest.length > 0 || live.length > 0) {
    const next =
      live.length < places.all
        ? rest.findIndex(({ need }) => free[need] > 0)
        : -1;
    if (next >= 0) {
      const [suite] = rest.splice(next, 1);
      if (suite) {
        begin(suite);
        suites.push(suite);
      }
      continue;
    }
    live.sort((a, b) => a.end - b.end);
    const ended = live.shift();
    if (!ended) break;
    now = ended.end;
    free[ended.need]++;
  }
  return { suites, seconds: now };
}

/** Vitest's sequencer. */
export function sequencer(places: Places) {
  return class {
    sort(specifications: TestSpecification[]): TestSpecification[] {
      const durations = readDurations();
      const bySuite = new Map(
        specifications.map((specification) => [
          suiteOf(specification.moduleId, durations),
          specification,
        ]),
      );
      return schedule([...bySuite.keys()], places).suites.flatMap(
        (suite) => bySuite.get(suite) ?? [],
      );
    }

    /** One computer runs them all. */
    shard(specifications: TestSpecification[]): TestSpecification[] {
      return specifications;
    }
  };
}
