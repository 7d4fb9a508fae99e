/** `npm test`: types, then every suite; ends with "N passed, N failed". */
import { Command } from "commander";
import { execa } from "execa";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkout } from "./checkout.ts";
import { main } from "./failure.ts";
import { installPackages, missingPackages } from "./host-tools.ts";
import { LabError } from "./lab/command.ts";
import { ensureRoot } from "./root.ts";

const command = new Command("npm test --")
  .description(
    `Checks the types and the style, then runs the suites: unit, program (the real
engine), e2e-long (the real lab, which it starts and stops unless one runs: what
takes minutes, side by side) and e2e (the lab again, and a second one beside it
that is the suites' own: one suite at a time in each).`,
  )
  .argument("[files...]", "only test files whose path contains this")
  .option("--project <name...>", "only these suites: unit, program, e2e…")
  .parse();

interface Report {
  numPassedTests: number;
  numFailedTests: number;
  numFailedTestSuites: number;
}

await main(async () => {
  const { project = [] } = command.opts<{ project?: string[] }>();
  const onlyUnit = project.length > 0 && project.every((p) => p === "unit");
  if (!onlyUnit) {
    ensureRoot();
    await installPackages(missingPackages("chromium", "shellcheck"));
  }

  let checksFailed = 0;
  if (command.args.length === 0) {
    for (const script of ["typecheck", "lint"]) {
      const result = await execa("npm", ["run", "--silent", script], {
        cwd: checkout,
        stdio: "inherit",
        reject: false,
      });
      console.log(`${script}: ${result.exitCode === 0 ? "passed" : "FAILED"}`);
      if (result.exitCode !== 0) checksFailed++;
    }
  }

  // Vitest hears of Ctrl-C as well, and ends its labs before it ends.
  process.on("SIGINT", () => undefined);
  const directory = mkdtempSync(join(tmpdir(), "daytona-edge-test-"));
  try {
    const json = join(directory, "report.json");
    const { exitCode } = await execa(
      "vitest",
      [
        "run",
        ...project.map((name) => `--project=${name}`),
        "--reporter=default",
        "--reporter=json",
        `--outputFile.json=${json}`,
        ...command.args,
      ],
      {
        cwd: checkout,
        stdio: "inherit",
        reject: false,
        preferLocal: true,
      },
    );
    if (!existsSync(json)) throw new LabError("Ended before all suites were.");
    const report = JSON.parse(readFileSync(json, "utf8")) as Report;
    const passed = report.numPassedTests;
    // A suite that could not even start has no failed test of its own.
    const inSuites = report.numFailedTests || report.numFailedTestSuites;
    // An error outside of any suite fails the run, and is in no report.
    const outside = inSuites === 0 && exitCode !== 0 ? 1 : 0;
    const failed = inSuites + outside + checksFailed;
    console.log(`\n${String(passed)} passed, ${String(failed)} failed`);
    if (failed > 0 || passed === 0) process.exitCode = 1;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
