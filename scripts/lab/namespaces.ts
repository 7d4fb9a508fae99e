/**
 * The lab lives in network, mount and process namespaces of its own. One
 * process holds them; when it ends, the kernel ends every process, mount and
 * interface of the lab with it, so there is nothing to sweep and two labs never
 * meet.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { mkdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { labDirectory } from "../checkout.ts";
import { LabError, runDetached } from "./command.ts";

const initScript = join(import.meta.dirname, "namespace-init.sh");
const readyFile = join(labDirectory, "namespace-ready");
const log = join(labDirectory, "namespaces.log");

/** Set in the environment of every process that runs inside the lab. */
const insideMark = "DAYTONA_EDGE_LAB";

/** Name of this lab in the control group tree. */
export const controlGroup = controlGroupOf(labDirectory);

export function controlGroupOf(directory: string): string {
  const hash = createHash("sha256").update(directory).digest("hex");
  return `daytona-edge-${hash.slice(0, 8)}`;
}

/** Whether this process runs inside the lab. */
export function isInsideLab(): boolean {
  return process.env[insideMark] === labDirectory;
}

/**
 * The process that holds the living lab, as the computer numbers it; undefined
 * when none lives. Read from the process table, so that a killed
 * `npm start` cannot leave a lab that nobody knows of.
 */
export function livingLab(directory = labDirectory): number | undefined {
  if (lastHolder !== undefined && holds(lastHolder, directory)) {
    return lastHolder;
  }
  lastHolder = readdirSync("/proc")
    .filter((entry) => /^[0-9]+$/.test(entry))
    .map(Number)
    .find((pid) => holds(pid, directory));
  return lastHolder;
}
/** The one that was found last: suites ask many times. */
let lastHolder: number | undefined;

function holds(pid: number, directory: string): boolean {
  const [, script, argument] = procFile(pid, "cmdline").split("\0");
  if (script !== initScript || argument !== directory) return false;
  return /^NSpid:.*\t1$/m.test(procFile(pid, "status"));
}

/** Makes the namespaces of this lab. */
export async function startNamespaces(): Promise<void> {
  await sweepControlGroups();
  await mkdir(labDirectory, { recursive: true });
  await rm(readyFile, { force: true });
  const unshare = runDetached(
    [
      "unshare",
      "--net",
      "--mount",
      "--pid",
      "--mount-proc",
      "--fork",
      "--kill-child",
      initScript,
      labDirectory,
    ],
    log,
    { env: { [insideMark]: labDirectory } },
  );
  if (unshare === undefined) {
    throw new LabError(`unshare could not be started; see ${log}`);
  }
  for (const deadline = Date.now() + 60_000; !existsSync(readyFile);) {
    if (startOf(unshare) === undefined || Date.now() > deadline) {
      throw new LabError(
        `The lab's namespaces could not be made: ${readFileSync(log, "utf8").trim() || "no message"}\n  log: ${log}\n  It needs root and a kernel with network, mount and process namespaces (in a container: run it with --privileged).`,
      );
    }
    await sleep(20);
  }
}

/**
 * The command line that runs a command inside the lab. The command ends with
 * the process that started it, so that a killed `npm start` leaves no half of
 * itself running.
 * @throws LabError when no lab lives.
 */
export function insideLab(argv: readonly string[]): [string, ...string[]] {
  if (isInsideLab()) return argv as [string, ...string[]];
  const holder = livingLab();
  if (holder === undefined) {
    throw new LabError(
      'No lab is running in this checkout; "npm start" makes one.',
    );
  }
  return [
    "setpriv",
    "--pdeathsig=KILL",
    "nsenter",
    `--target=${String(holder)}`,
    "--net",
    "--mount",
    "--pid",
    "env",
    `--chdir=${process.cwd()}`,
    `${insideMark}=${labDirectory}`,
    "setpriv",
    "--pdeathsig=KILL",
    ...argv,
  ];
}

/** Ends a lab and removes what it leaves: its control groups and its directory. */
export async function stopNamespaces(directory = labDirectory): Promise<void> {
  const holder = livingLab(directory);
  if (holder !== undefined) {
    process.kill(holder, "SIGKILL");
    for (
      const deadline = Date.now() + 60_000;
      startOf(holder) !== undefined && Date.now() < deadline;
    ) {
      await sleep(20);
    }
  }
  await removeControlGroups(controlGroupOf(directory));
  await rm(directory, { recursive: true, force: true });
}

const controlGroups = "/sys/fs/cgroup";

/** Whether there is a tree of control groups for each controller, as before version 2. */
export const hasControllerTrees = !existsSync(
  join(controlGroups, "cgroup.controllers"),
);

/** Where control groups are: the unified tree, or one for each controller. */
const controlGroupTrees = hasControllerTrees
  ? readdirSync(controlGroups, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => join(controlGroups, name))
  : [controlGroups];

/** Control groups outlive their processes; they are the lab's only traces. */
async function removeControlGroups(name: string): Promise<void> {
  for (const tree of controlGroupTrees) {
    const top = join(tree, name);
    if (existsSync(top)) await removeControlGroup(top);
  }
}

/**
 * Ends every process of a machine, also those of an init that its nspawn left
 * behind, and removes its groups.
 */
export async function endControlGroups(machine: string): Promise<void> {
  for (const tree of controlGroupTrees) {
    const top = join(tree, controlGroup, machine);
    if (!existsSync(top)) continue;
    for (const group of [...groupsBelow(top), top]) {
      const processes = readFileSync(join(group, "cgroup.procs"), "utf8");
      for (const pid of processes.split("\n").filter((line) => line !== "")) {
        endProcess(Number(pid));
      }
    }
    await removeControlGroup(top);
  }
}

/** Kills a process that may have ended by itself meanwhile. */
function endProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Labs that were killed, checkout and all, leave their groups to the next. */
async function sweepControlGroups(): Promise<void> {
  for (const tree of controlGroupTrees) {
    for (const name of readdirSync(tree)) {
      if (!name.startsWith("daytona-edge-")) continue;
      try {
        await sweepControlGroup(join(tree, name));
      } catch (error) {
        // Another checkout ends its lab, or sweeps as well.
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      }
    }
  }
}

async function sweepControlGroup(top: string): Promise<void> {
  // A lab that starts this moment has made its group and is not in it yet.
  if (Date.now() - statSync(top).ctimeMs < 60_000) return;
  const groups = [top, ...groupsBelow(top)];
  const isEmpty = groups.every(
    (group) => readFileSync(join(group, "cgroup.procs"), "utf8") === "",
  );
  if (isEmpty) await removeControlGroup(top);
}

async function removeControlGroup(top: string): Promise<void> {
  for (const group of [...groupsBelow(top), top]) {
    for (let attempt = 0; ; attempt++) {
      try {
        await rmdir(group);
        break;
      } catch (error) {
        // Docker's own, which ends as well, may have been there first.
        if ((error as NodeJS.ErrnoException).code === "ENOENT") break;
        // The kernel takes a moment to let the last dead process go.
        if (attempt === 1000) throw error;
        await sleep(20);
      }
    }
  }
}

/** All groups below one, the deepest first. */
function groupsBelow(top: string): string[] {
  return readdirSync(top, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort((a, b) => b.length - a.length);
}

/** Start time of a living process, field 22 of proc_pid_stat(5). */
export function startOf(pid: number): string | undefined {
  const stat = procFile(pid, "stat");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" ? undefined : fields[19];
}

/** The first child of a process, or undefined when it has none. */
export function firstChild(pid: number): number | undefined {
  const first = procFile(pid, `task/${String(pid)}/children`).split(" ")[0];
  return first ? Number(first) : undefined;
}

/** A file of proc(5); empty when the process is gone. */
function procFile(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${String(pid)}/${name}`, "utf8");
  } catch {
    return "";
  }
}
