/** `npm run mutations`: takes one control out at a time, and looks whether a test notices. */
import { Command } from "commander";
import { execa } from "execa";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { copyCheckout } from "./checkout-copy.ts";
import { checkout } from "./checkout.ts";
import { main } from "./failure.ts";
import { LabError } from "./lab/command.ts";
import { step } from "./progress.ts";
import { ensureRoot } from "./root.ts";

const directory = join(checkout, "test/mutations");
const ids = readdirSync(directory)
  .filter((name) => name.endsWith(".patch"))
  .map((name) => name.slice(0, -".patch".length))
  .toSorted();

const command = new Command("npm run mutations --")
  .description(
    `Removes security controls, one at a time, each in a copy of the checkout, and
runs the test that must notice. A patch of test/mutations is a removal; its first
lines name the control, the suite and the test.`,
  )
  .argument("[ids...]", `which, of: ${ids.join(", ")}; all when absent`)
  .parse();

interface Mutation {
  readonly id: string;
  readonly control: string;
  readonly suite: string;
  /** Name of the test that must fail, or the beginning of it. */
  readonly test: string;
}

await main(async () => {
  ensureRoot();
  const unknown = command.args.filter((id) => !ids.includes(id));
  if (unknown.length > 0) {
    throw new LabError(
      `Unknown: ${unknown.join(", ")}. The mutations are: ${ids.join(", ")}.`,
    );
  }
  const wanted = command.args.length > 0 ? command.args : ids;
  const survived: string[] = [];
  for (const { id, control, suite, test } of wanted.map(readMutation)) {
    await step(`${id}: ${control}`, async (report) => {
      const failed = await failedTests(id, suite);
      if (failed.some((name) => name.includes(test))) {
        report(`red: ${test}`);
        return;
      }
      report(`NOT NOTICED by "${test}" of ${suite}`);
      survived.push(id);
      for (const name of failed) console.error(`  red instead: ${name}`);
    });
  }
  console.log(
    `\n${String(wanted.length - survived.length)} of ${String(wanted.length)} noticed${survived.length > 0 ? `; not: ${survived.join(", ")}` : ""}`,
  );
  if (survived.length > 0) process.exitCode = 1;
});

/** @throws LabError that names the patch and what its head lacks */
function readMutation(id: string): Mutation {
  const [head = ""] = readFileSync(
    join(directory, `${id}.patch`),
    "utf8",
  ).split(/^(?:diff|---) /m);
  const field = (name: string) => {
    const value = new RegExp(`^${name}: (.+)$`, "m").exec(head)?.[1];
    if (value !== undefined) return value;
    throw new LabError(
      `test/mutations/${id}.patch has no line "${name}: …" before its first file.`,
    );
  };
  return {
    id,
    control: field("Control"),
    suite: field("Suite"),
    test: field("Test"),
  };
}

/** Full names of the tests that fail without the control. */
async function failedTests(id: string, suite: string): Promise<string[]> {
  const copy = mkdtempSync(join(tmpdir(), `daytona-edge-${id}-`));
  try {
    await copyCheckout(copy);
    await execa("git", ["apply", join(directory, `${id}.patch`)], {
      // A directory of no repository: paths are its own.
      cwd: copy,
      env: { GIT_CEILING_DIRECTORIES: tmpdir() },
    });
    const { all } = await execa("npm", ["test", "--", suite], {
      ...{ cwd: copy, all: true, reject: false, stdin: "ignore" },
    });
    return stripVTControlCharacters(all)
      .split("\n")
      .filter((line) => line.startsWith(" FAIL "))
      .map((line) => line.slice(" FAIL ".length).trim());
  } finally {
    await execa("npm", ["stop"], { cwd: copy, reject: false });
    rmSync(copy, { recursive: true });
  }
}
