/** How many suites run at a time on this computer, and how many labs they get. */
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";

/** Memory that a lab needs at its largest, in MiB, with the machines that suites add. */
const whole = 1000;
/** The same without the stacks: three servers, or a second checkout's lab. */
const surroundings = 1200;
/** What the rest of a run needs. */
const rest = 2000;

/** Labs of one run that may live at the same time. */
export interface Places {
  /** Labs that carry the stacks. */
  readonly whole: number;
  /** Labs with the internet and Daytona only, to which suites add machines. */
  readonly surroundings: number;
  /** Suites that run at a time; one of them needs no lab. */
  readonly all: number;
}

/**
 * The labs that a computer has room for. Suites wait as much as they work: a
 * few more than cores keep these busy, and many more only wait for each other.
 * @param cores that this process may use
 * @param memory that can be had without swapping, in MiB
 */
export function placesFor(cores: number, memory: number): Places {
  for (let labs = cores + 1; ; labs--) {
    const others = Math.max(1, labs - 1);
    const needed = labs * whole + others * surroundings + rest;
    // With less than one of each there would be nothing to run in.
    if (needed > memory && labs > 1) continue;
    return { whole: labs, surroundings: others, all: labs + others + 1 };
  }
}

export function placesHere(): Places {
  const [, kilobytes = "0"] =
    /^MemAvailable:\s+(\d+)/m.exec(readFileSync("/proc/meminfo", "utf8")) ?? [];
  return placesFor(
    availableParallelism(),
    Math.floor(Number(kilobytes) / 1024),
  );
}
