/** Vitest's reporter that says how far the run is, and measures each suite. */
import { writeFileSync } from "node:fs";
import type { Reporter, TestModule, TestSpecification } from "vitest/node";
import { readDurations } from "./durations.ts";
import type { Places } from "./places.ts";
import { type Suite, schedule, suiteOf } from "./schedule.ts";

/** How often at most a line is printed, in milliseconds. */
const interval = 20_000;

/** Names the file for the reports in Vitest's environment; there are none without. */
export const reportFile = "DAYTONA_EDGE_TEST_REPORT";

export interface SuiteReport {
  readonly suite: string;
  /** Without the start of its lab. */
  readonly seconds: number;
  readonly passed: number;
  readonly failed: number;
}

interface Running {
  readonly suite: Suite;
  /** By performance.now(). */
  readonly since: number;
}

export class Progress implements Reporter {
  readonly #places: Places;
  readonly #durations = readDurations();
  readonly #reports: SuiteReport[] = [];
  readonly #waiting = new Map<string, Suite>();
  readonly #running = new Map<string, Running>();
  #printed = performance.now();

  constructor(places: Places) {
    this.#places = places;
  }

  onTestRunStart(specifications: readonly TestSpecification[]): void {
    for (const { moduleId } of specifications) {
      this.#waiting.set(moduleId, suiteOf(moduleId, this.#durations));
    }
  }

  onTestModuleQueued({ moduleId }: TestModule): void {
    const suite = this.#waiting.get(moduleId);
    this.#waiting.delete(moduleId);
    if (!suite) return;
    this.#running.set(moduleId, { suite, since: performance.now() });
  }

  onTestModuleEnd(module: TestModule): void {
    const { suite } = this.#running.get(module.moduleId) ?? {};
    this.#running.delete(module.moduleId);
    const { collectDuration, duration } = module.diagnostic();
    const states = [...module.children.allTests()].map(
      (test) => test.result().state,
    );
    const failed = states.filter((state) => state === "failed").length;
    this.#reports.push({
      suite: suite?.name ?? module.moduleId,
      seconds: (collectDuration + duration) / 1000,
      passed: states.filter((state) => state === "passed").length,
      // A suite that could not even start has no failed test of its own.
      failed: failed === 0 && module.state() === "failed" ? 1 : failed,
    });
    if (performance.now() - this.#printed > interval) this.#print();
  }

  onTestRunEnd(): void {
    const file = process.env[reportFile];
    if (file) writeFileSync(file, JSON.stringify(this.#reports));
  }

  #print(): void {
    this.#printed = performance.now();
    const running = [...this.#running.values()].map(({ suite, since }) => ({
      ...suite,
      seconds: Math.max(0, suite.seconds - (this.#printed - since) / 1000),
    }));
    const { seconds } = schedule(
      [...this.#waiting.values()],
      this.#places,
      running,
    );
    const done = this.#reports.length;
    const all = done + this.#running.size + this.#waiting.size;
    const failed = this.#reports.filter((report) => report.failed > 0).length;
    const names = running.map(({ name }) =>
      name.replace(/^test\/|\.test\.ts$/g, ""),
    );
    console.log(
      [
        `${String(done)} of ${String(all)} suites`,
        ...(failed > 0 ? [`${String(failed)} failed`] : []),
        `about ${String(Math.ceil(seconds / 60))} min left`,
        `running: ${names.join(", ")}`,
      ].join("; "),
    );
  }
}
