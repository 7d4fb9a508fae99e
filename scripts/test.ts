/** `npm test`: types and style, and every suite; ends with "N passed, N failed". */
import { Command } from "commander";
import { execa } from "execa";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkout, compileCache } from "./checkout.ts";
import { main } from "./failure.ts";
import { installPackages, missingPackages } from "./host-tools.ts";
import { LabError } from "./lab/command.ts";
import { ensureRoot } from "./root.ts";
import { allFiles, changedFiles, touchedSuites } from "./test/changed.ts";
import { recordDurations } from "./test/durations.ts";
import { type SuiteReport, reportFile } from "./test/progress.ts";

const command = new Command("npm test --")
  .description(
    `Checks the types and the style, and runs the suites, as many at a time as this
computer has room for: unit, program (the real engine) and e2e (each in a lab of
its own, which the run starts and stops; the lab of "npm start" is not touched).
No suite uses a real account: credentials in the environment are left out.`,
  )
  .argument("[files...]", "only suites whose path contains one of these")
  .option(
    "--changed [commit]",
    "only suites that the working tree's changes touch",
  )
  .option("--project <name...>", "only these kinds: unit, program, e2e")
  .option(
    "--keep-labs",
    'leave the suites\' labs to the next run, which starts sooner;\n"npm stop" ends them',
  )
  .option("--record", "keep how long each suite took, for order and estimates")
  .parse();

interface Options {
  readonly changed?: string | true;
  readonly project?: string[];
  readonly keepLabs?: true;
  readonly record?: true;
}

await main(async () => {
  const { changed, project = [], keepLabs, record } = command.opts<Options>();
  const suites = changed
    ? await suitesOf(changed === true ? "HEAD" : changed)
    : command.args;
  if (changed && suites.length === 0) {
    console.log("No suite is touched by the changes.\n\n0 passed, 0 failed");
    return;
  }
  const onlyUnit =
    project.length > 0
      ? project.every((name) => name === "unit")
      : suites.length > 0 &&
        suites.every((file) => file.startsWith("test/unit/"));
  if (!onlyUnit) {
    ensureRoot();
    await installPackages(missingPackages("chromium", "shellcheck"));
  }
  const isPart = suites.length > 0 || project.length > 0;
  const [failedChecks, reports] = await Promise.all([
    isPart && !changed ? 0 : checks(),
    run(suites, project, keepLabs ?? false),
  ]);
  if (record) {
    recordDurations(
      Object.fromEntries(reports.map(({ suite, seconds }) => [suite, seconds])),
    );
  }
  tellSlowest(reports);
  const sum = (count: (report: SuiteReport) => number) =>
    reports.map(count).reduce((a, b) => a + b, 0);
  const passed = sum((report) => report.passed);
  const failed = sum((report) => report.failed) + failedChecks;
  console.log(`\n${String(passed)} passed, ${String(failed)} failed`);
  if (failed > 0 || passed === 0) process.exitCode = 1;
});

/** Suites that changes since a commit touch, and that the arguments do not leave out. */
async function suitesOf(commit: string): Promise<string[]> {
  const changed = await changedFiles(commit);
  const words = command.args;
  const suites = touchedSuites(await allFiles(), changed).filter(
    (suite) => words.length === 0 || words.some((word) => suite.includes(word)),
  );
  console.log(
    `${String(changed.length)} files differ from ${commit}; suites that they touch: ${String(suites.length)}`,
  );
  return suites;
}

/** Types and style, beside the suites. @returns how many failed */
async function checks(): Promise<number> {
  const results = await Promise.all(
    ["typecheck", "lint"].map(async (script) => {
      const { all, exitCode } = await execa(
        "npm",
        ["run", "--silent", script],
        {
          ...{ cwd: checkout, all: true, reject: false },
        },
      );
      const verdict = exitCode === 0 ? "passed" : "FAILED";
      console.log(`${script}: ${verdict}\n${all}`.trimEnd());
      return exitCode;
    }),
  );
  return results.filter((exitCode) => exitCode !== 0).length;
}

/** Runs suites, all when none is named. @throws LabError when Vitest itself fails */
async function run(
  suites: readonly string[],
  project: readonly string[],
  keepLabs: boolean,
): Promise<SuiteReport[]> {
  // Vitest hears of Ctrl-C as well, and ends its labs before it ends.
  process.on("SIGINT", () => undefined);
  const directory = mkdtempSync(join(tmpdir(), "daytona-edge-test-"));
  try {
    const file = join(directory, "report.json");
    const { exitCode } = await execa(
      "vitest",
      ["run", ...project.map((name) => `--project=${name}`), ...suites],
      {
        ...{
          cwd: checkout,
          stdio: "inherit",
          reject: false,
          preferLocal: true,
        },
        env: {
          [reportFile]: file,
          ...(keepLabs ? { DAYTONA_EDGE_KEEP_LABS: "yes" } : {}),
          NODE_COMPILE_CACHE: compileCache,
        },
      },
    );
    if (!existsSync(file)) {
      throw new LabError("Vitest exited before all suites finished.");
    }
    const reports = JSON.parse(readFileSync(file, "utf8")) as SuiteReport[];
    // An error outside of any suite fails the run, and is in no report.
    if (exitCode !== 0 && reports.every(({ failed }) => failed === 0)) {
      const outside = { suite: "outside of any suite", seconds: 0 };
      reports.push({ ...outside, passed: 0, failed: 1 });
    }
    return reports;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function tellSlowest(reports: readonly SuiteReport[]): void {
  const slowest = reports
    .toSorted((a, b) => b.seconds - a.seconds)
    .slice(0, 10);
  console.log("\nSlowest suites:");
  for (const { suite, seconds } of slowest) {
    console.log(`${seconds.toFixed(0).padStart(5)} s  ${suite}`);
  }
}
