/**
 * A second checkout beside the living lab: killed in the middle, repaired,
 * stopped. Nothing may be left of it, and the other lab may not notice.
 *
 * @module-tag surroundings
 */
import { execa } from "execa";
import { mkdtemp, rm } from "node:fs/promises";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { copyCheckout } from "../../scripts/checkout-copy.ts";
import { labDirectory } from "../../scripts/checkout.ts";
import { controlGroupOf } from "../../scripts/lab/namespaces.ts";
import { FIRST_SANDBOX, labCurl } from "./lab.ts";

let copy: string;
let copyLab: string;

beforeAll(async () => {
  copy = await mkdtemp(join(tmpdir(), "daytona-edge-second-"));
  copyLab = join(copy, basename(labDirectory));
  await copyCheckout(copy);
});

afterAll(async () => {
  await script("stop.ts");
  await rm(copy, { recursive: true, force: true });
});

let before: Awaited<ReturnType<typeof traces>>;

test("killed in the middle of anything, the next start repairs", async () => {
  before = await traces();

  /** How far a start is when it is killed: what it says, and what runs. */
  const moments: ((said: string) => Promise<boolean> | boolean)[] = [
    (said) => /✓.* Debian 13 image/.test(said),
    async () => (await nspawnOf("internet")) !== undefined,
    (said) => /✓.* internet and Daytona/.test(said),
    async (said) =>
      /✓.* internet and Daytona/.test(said) &&
      (await nspawnOf("edge")) !== undefined,
  ];
  for (const reached of moments) {
    const start = script("start.ts");
    let said = "";
    start.all.on("data", (chunk) => (said += String(chunk)));
    while (!(await reached(said))) {
      expect(start.exitCode, said).toBeNull();
      await sleep(50);
    }
    start.kill("SIGKILL");
    expect((await start).signal).toBe("SIGKILL");
  }
  const repaired = await script("start.ts");
  expect(repaired.all).toContain("Both roads are open");
  expect(repaired.exitCode, repaired.all).toBe(0);
});

test("a machine that died comes back with the next start", async () => {
  process.kill(Number(await nspawnOf("edge")), "SIGKILL");

  const repaired = await script("start.ts");
  expect(repaired.all).toContain("pulumi up: no changes");
  expect(repaired.exitCode, repaired.all).toBe(0);
});

test("stop leaves nothing", async () => {
  // What is looked for is there to be found.
  const between = await traces();
  expect(between.groups).not.toEqual([]);
  expect(between.processes).not.toEqual([]);

  // The other lab lives on.
  const { stdout } = await labCurl(["-i", "http://198.18.0.3:3000/api/health"]);
  expect(stdout).toMatch(/^HTTP\/1\.1 200/);

  expect((await script("stop.ts")).exitCode).toBe(0);
  expect(existsSync(copyLab)).toBe(false);
  // What suites in other labs do for a moment is none of it.
  await expect.poll(traces).toEqual(before);
});

test("without a lab every command says what to do", async () => {
  const result = await script("lab/main.ts", [
    "exec",
    FIRST_SANDBOX,
    "--",
    "id",
  ]);
  expect(result.exitCode).toBe(1);
  expect(result.all).toContain(
    'No lab is running in this checkout; "npm start" makes one.',
  );
});

function script(name: string, args: string[] = []) {
  return execa(process.execPath, [join(copy, "scripts", name), ...args], {
    cwd: copy,
    all: true,
    reject: false,
  });
}

/** The process that holds a machine of the second checkout's lab. */
async function nspawnOf(machine: string): Promise<string | undefined> {
  const { stdout } = await execa(
    "pgrep",
    ["-f", `^systemd-nspawn .*${copyLab}/machines/${machine}/`],
    { reject: false },
  );
  return stdout === "" ? undefined : stdout;
}

/** What the computer shows of any lab: interfaces, mounts, processes, groups. */
async function traces(): Promise<Record<string, string[]>> {
  const { stdout: interfaces } = await execa("ip", ["-br", "link"]);
  const { stdout: processes } = await execa("ps", ["-eo", "args"]);
  const groups = ["", "/systemd", "/unified"]
    .map((tree) => `/sys/fs/cgroup${tree}`)
    .filter((tree) => existsSync(tree))
    .flatMap((tree) => readdirSync(tree).map((group) => join(tree, group)));
  return {
    interfaces: interfaces
      .split("\n")
      .map((line) => line.split(/\s+/)[0] ?? ""),
    mounts: readFileSync("/proc/mounts", "utf8").split("\n"),
    processes: processes.split("\n").filter((line) => line.includes(copy)),
    groups: groups.filter(
      (group) => basename(group) === controlGroupOf(copyLab),
    ),
    run: existsSync("/run/systemd/nspawn")
      ? readdirSync("/run/systemd/nspawn")
      : [],
  };
}
