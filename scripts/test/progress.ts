/** Vitest's reporter that says how far the run is, and measures each suite. */
import { writeFileSync } from "node:fs";
import type { Reporter, TestModule, TestSpecification } from "vitest/node";
import { readDurations } from "./durations.ts";
import { secondsLeft, secondsOf, suiteName } from "./schedule.ts";

/** How often at most a line is printed, in milliseconds. */
const interval = 20_000;

/** Names the file for the reports in Vitest's environment. */
export const reportFile = "DAYTONA_EDGE_TEST_REPORT";

export interface SuiteReport {
  readonly suite: string;
  /** Without the start of its lab. */
  readonly seconds: number;
  readonly passed: number;
  readonly failed: number;
}

export interface Options {
  /** Suites that run at a time. */
  readonly places: number;
  /** Where the reports of all suites go, as JSON; nowhere when absent. */
  readonly file: string | undefined;
}

export class Progress implements Reporter {
  readonly #options: Options;
  readonly #durations = readDurations();
  readonly #reports: SuiteReport[] = [];
  /** In the order in which they begin. */
  #waiting: string[] = [];
  readonly #begun = new Map<string, number>();
  #printed = performance.now();

  constructor(options: Options) {
    this.#options = options;
  }

  onTestRunStart(specifications: readonly TestSpecification[]): void {
    this.#waiting = specifications.map(({ moduleId }) => suiteName(moduleId));
  }

  onTestModuleQueued({ moduleId }: TestModule): void {
    const suite = suiteName(moduleId);
    this.#waiting = this.#waiting.filter((name) => name !== suite);
    this.#begun.set(suite, performance.now());
  }

  onTestModuleEnd(module: TestModule): void {
    const suite = suiteName(module.moduleId);
    this.#begun.delete(suite);
    const { collectDuration, duration } = module.diagnostic();
    const states = [...module.children.allTests()].map(
      (test) => test.result().state,
    );
    const failed = states.filter((state) => state === "failed").length;
    this.#reports.push({
      suite,
      seconds: (collectDuration + duration) / 1000,
      passed: states.filter((state) => state === "passed").length,
      // A suite that could not even start has no failed test of its own.
      failed: failed === 0 && module.state() === "failed" ? 1 : failed,
    });
    if (performance.now() - this.#printed > interval) this.#print();
  }

  onTestRunEnd(): void {
    const { file } = this.#options;
    if (file) writeFileSync(file, JSON.stringify(this.#reports));
  }

  #print(): void {
    this.#printed = performance.now();
    const needs = (suite: string) => secondsOf(suite, this.#durations);
    const running = [...this.#begun].map(([suite, since]) =>
      Math.max(0, needs(suite) - (this.#printed - since) / 1000),
    );
    const waiting = this.#waiting.map(needs);
    const left = secondsLeft(running, waiting, this.#options.places);
    const done = this.#reports.length;
    const all = done + this.#begun.size + this.#waiting.length;
    const failed = this.#reports.filter((report) => report.failed > 0).length;
    console.log(
      [
        `${String(done)} of ${String(all)} suites`,
        ...(failed > 0 ? [`${String(failed)} failed`] : []),
        `about ${String(Math.ceil(left / 60))} min left`,
        `running: ${[...this.#begun.keys()].map((suite) => suite.replace(/^test\/|\.test\.ts$/g, "")).join(", ")}`,
      ].join("; "),
    );
  }
}
