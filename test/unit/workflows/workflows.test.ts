/** GitHub's workflows: what actionlint knows of them, and what it does not. */
import { execa } from "execa";
import {
  chmodSync,
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, delimiter, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { checkout } from "../../../scripts/checkout.ts";
import { goProgram } from "../../../scripts/toolchain/go-program.ts";
import { pulumiVersion } from "../../../scripts/toolchain/pulumi.ts";

interface Step {
  readonly id?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
}
interface Job {
  readonly if?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly environment?: string;
  readonly concurrency?: unknown;
  readonly "timeout-minutes"?: number;
  readonly steps: readonly Step[];
}
interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

const read = (path: string) => readFileSync(join(checkout, path), "utf8");
const files = globSync(".github/workflows/*.yml", { cwd: checkout }).sort();
const workflows = files.map((file) => ({
  name: basename(file, ".yml"),
  workflow: parse(read(file)) as Workflow,
}));
const jobs = workflows.flatMap(({ name, workflow }) =>
  Object.entries(workflow.jobs).map(([id, job]) => ({
    name: `${name}/${id}`,
    on: Object.keys(workflow.on),
    job,
    permissions: job.permissions ?? workflow.permissions,
  })),
);
const action = ".github/actions/stack/action.yml";
const actionSteps = (parse(read(action)) as { runs: { steps: Step[] } }).runs
  .steps;
const steps = [...jobs.flatMap(({ job }) => job.steps), ...actionSteps];

/** Whether a job is let into the account, or knows a secret. */
const isTrusted = ({ job, permissions }: (typeof jobs)[number]) =>
  permissions["id-token"] === "write" ||
  /\$\{\{[^}]*\bsecrets\b/.test(JSON.stringify(job));

const actionlint = await goProgram(
  join(checkout, "scripts/toolchain/actionlint"),
  "github.com/rhysd/actionlint/cmd/actionlint",
);

let place: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "daytona-edge-workflows-"));
});
afterEach(() => {
  rmSync(place, { recursive: true });
});

describe.skipIf(actionlint === undefined)("actionlint (needs Go)", () => {
  /** What it says of a copy of them all, with one of them changed. */
  async function found(change = (text: string) => text): Promise<string[]> {
    cpSync(join(checkout, ".github"), join(place, ".github"), {
      recursive: true,
    });
    // It takes for a project what has one.
    mkdirSync(join(place, ".git"));
    const drift = join(place, ".github/workflows/drift.yml");
    writeFileSync(drift, change(readFileSync(drift, "utf8")));
    const { stdout } = await execa(
      actionlint ?? "",
      ["-no-color", "-oneline"],
      { cwd: place, reject: false, lines: true },
    );
    return stdout;
  }

  test("finds nothing", async () => {
    expect(files.map((file) => basename(file))).toEqual([
      "drift.yml",
      "preview.yml",
      "test.yml",
      "ubuntu.yml",
      "up.yml",
    ]);
    expect(await found()).toEqual([]);
  });

  test.each([
    ["a step that is not there", "steps.compare", "steps.nothing", "nothing"],
    ["an input that is not there", "region:", "regoin:", '"regoin"'],
    ["a word of the shell's unquoted", '"$open" --', "$open --", "SC2086"],
  ])("finds %s", async (_, right, wrong, said) => {
    const lines = await found((text) => text.replace(right, wrong));
    expect(lines.join("\n")).toContain(said);
  });
});

test("every action is pinned to a commit, with its version, the same everywhere", () => {
  const pins = new Map<string, string>();
  const all = [...files, action].flatMap((file) =>
    [...read(file).matchAll(/\buses: *(.*)/g)].map(([, uses = ""]) => uses),
  );
  expect(all.length).toBe(steps.filter(({ uses }) => uses).length);
  for (const uses of all.filter((one) => one !== "./.github/actions/stack")) {
    const [, name = "", pin = ""] =
      /^([\w-]+\/[\w-]+)@([0-9a-f]{40} # v\d+\.\d+\.\d+)$/.exec(uses) ?? [];
    expect(pin, uses).not.toBe("");
    expect(pins.get(name) ?? pin, uses).toBe(pin);
    pins.set(name, pin);
  }
});

test("each job may do what it does, and no more", () => {
  expect(
    Object.fromEntries(
      jobs.map(({ name, permissions }) => [name, permissions]),
    ),
  ).toEqual({
    "drift/drift": {
      contents: "read",
      "id-token": "write",
      issues: "write",
    },
    "preview/fork": {},
    "preview/preview": {
      contents: "read",
      "id-token": "write",
      "pull-requests": "write",
    },
    "test/test": { contents: "read" },
    "ubuntu/host": { contents: "read" },
    "up/up": { contents: "read", "id-token": "write" },
  });
  for (const { uses, with: inputs } of steps) {
    if (!uses?.startsWith("actions/checkout@")) continue;
    expect(inputs).toMatchObject({ "persist-credentials": false });
  }
});

test("nothing that a stranger begins knows a secret", () => {
  const events = new Set(
    workflows.flatMap(({ workflow }) => Object.keys(workflow.on)),
  );
  // Not pull_request_target, workflow_run, issue_comment: they run with secrets.
  expect([...events].sort()).toEqual([
    "pull_request",
    "push",
    "schedule",
    "workflow_dispatch",
  ]);
  const trusted = jobs.filter(isTrusted);
  expect(trusted.map(({ name }) => name)).toEqual([
    "drift/drift",
    "preview/preview",
    "up/up",
  ]);
  for (const { name, on, job } of trusted) {
    if (!on.includes("pull_request")) continue;
    expect(job.if, name).toBe(
      "github.event.pull_request.head.repo.full_name == github.repository",
    );
  }
  const own = jobs.find(({ name }) => name === "preview/preview");
  const fork = jobs.find(({ name }) => name === "preview/fork");
  expect(fork?.job.if).toBe(own?.job.if?.replace("==", "!="));
  expect(fork?.job.steps[0]?.run).toContain("gets no secrets");
});

test("what a preview knows cannot deploy", () => {
  const known = Object.fromEntries(
    jobs.filter(isTrusted).map(({ name, job }) => [
      name,
      {
        environment: job.environment,
        role: job.steps.find(({ uses }) => uses === "./.github/actions/stack")
          ?.with?.role,
        secrets: [...JSON.stringify(job).matchAll(/secrets\.(\w+)/g)].map(
          ([, secret]) => secret,
        ),
      },
    ]),
  );
  const reading = {
    environment: undefined,
    role: "${{ vars.AWS_PREVIEW_ROLE }}",
    secrets: ["CLOUDFLARE_READ_TOKEN"],
  };
  expect(known).toEqual({
    "drift/drift": reading,
    "preview/preview": reading,
    "up/up": {
      environment: "production",
      role: "${{ vars.AWS_UP_ROLE }}",
      secrets: ["CLOUDFLARE_API_TOKEN"],
    },
  });
});

test("one at a time works on the stack, and none is lost", () => {
  const grouped = jobs.filter(({ job }) => job.concurrency !== undefined);
  expect(grouped.map(({ name }) => name)).toEqual(
    jobs.filter(isTrusted).map(({ name }) => name),
  );
  for (const { name, job } of grouped) {
    expect(job.concurrency, name).toEqual({
      group: "pulumi-prod",
      queue: "max",
    });
  }
});

test("the shell gets no text of GitHub's but by its environment", () => {
  for (const { run } of steps) expect(run ?? "").not.toContain("${{");
});

test("what runs is what runs at a desk: Pulumi, Node, packages", () => {
  const withOf = (name: string) =>
    steps
      .filter(({ uses }) => uses?.startsWith(`${name}@`))
      .map((step) => step.with ?? {});
  for (const inputs of withOf("actions/setup-node")) {
    expect(inputs["node-version-file"]).toBe("package.json");
  }
  const [install, ...commands] = withOf("pulumi/actions").sort(
    (a, b) => Number("command" in a) - Number("command" in b),
  );
  // A command takes what is installed.
  expect(install).toEqual({ "pulumi-version": pulumiVersion });
  expect(commands.map(({ command }) => command).sort()).toEqual([
    "preview",
    "up",
  ]);
  for (const command of commands) {
    expect(command).toMatchObject({
      "stack-name": "prod",
      policyPacks: "policies",
      diff: true,
      refresh: true,
    });
  }
  expect(actionSteps.some(({ run }) => run?.startsWith("npm ci "))).toBe(true);
  for (const { name, job } of jobs) {
    expect(job["timeout-minutes"], name).toBeLessThanOrEqual(90);
  }
});

describe("drift", () => {
  const [compare, report] = jobs
    .filter(({ name }) => name === "drift/drift")
    .flatMap(({ job }) => job.steps)
    .filter(({ run }) => run !== undefined);
  /** As a runner does, with a program of that name in the way. */
  async function run(step: Step | undefined, name: string, stub: string) {
    const program = join(place, name);
    writeFileSync(program, `#!/bin/sh\n${stub}`);
    chmodSync(program, 0o755);
    const output = join(place, "output");
    writeFileSync(output, "");
    const { exitCode } = await execa(
      "bash",
      ["--noprofile", "--norc", "-eo", "pipefail", "-c", step?.run ?? ""],
      {
        cwd: place,
        reject: false,
        env: {
          PATH: `${place}${delimiter}${process.env.PATH ?? ""}`,
          GITHUB_OUTPUT: output,
          TITLE: "Drift",
          RUN: "https://github.example/run/1",
        },
      },
    );
    return { exitCode, output: readFileSync(output, "utf8") };
  }

  test.each([
    [0, 0, "drift=no\n"],
    [7, 0, "drift=yes\n"],
    // No token, no stack, no network: a failed run, and no issue.
    [1, 1, ""],
    [255, 255, ""],
  ])("Pulumi ends with %i", async (status, exitCode, output) => {
    expect(
      await run(compare, "pulumi", `echo compared; exit ${String(status)}`),
    ).toEqual({ exitCode, output });
    expect(readFileSync(join(place, "drift.txt"), "utf8")).toBe("compared\n");
  });

  test.each([
    ["", "create --title Drift --body-file body.md"],
    ["12", "comment 12 --body-file body.md"],
  ])("with open issue %j", async (open, said) => {
    writeFileSync(join(place, "drift.txt"), "~ aws:ec2/vpc:Vpc\n```\n");
    const { exitCode } = await run(
      report,
      "gh",
      `[ "$2" = list ] && echo "${open}" || echo "$@" >>said`,
    );
    // The night's run is red until it is mended.
    expect(exitCode).toBe(1);
    expect(readFileSync(join(place, "said"), "utf8")).toBe(`issue ${said}\n`);
    expect(readFileSync(join(place, "body.md"), "utf8")).toMatch(
      /run\/1(.|\n)*\n\n {4}~ aws:ec2\/vpc:Vpc\n {4}```\n$/,
    );
  });
});
