/**
 * The lab lives in network, mount and process namespaces of its own. One
 * process holds them; when it ends, the kernel ends every process, mount and
 * interface of the lab with it, so there is nothing to sweep and two checkouts
 * never meet.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { mkdir, rm, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { checkout, labDirectory } from "../checkout.ts";
import { LabError, runDetached } from "./command.ts";

const stateFile = join(labDirectory, "namespaces.json");
const readyFile = join(labDirectory, "namespace-ready");
const log = join(labDirectory, "namespaces.log");

/** Set in the environment of every process that runs inside the lab. */
const insideMark = "DAYTONA_EDGE_LAB";

/** Name of this checkout's lab in the control group tree. */
export const controlGroup = `daytona-edge-${createHash("sha256").update(checkout).digest("hex").slice(0, 8)}`;

interface Holder {
  /** Process that holds the namespaces, as the computer numbers it. */
  readonly pid: number;
  /** Start of that process in clock ticks since boot: tells a reused number. */
  readonly started: string;
}

/** Whether this process runs inside the lab. */
export function isInsideLab(): boolean {
  return process.env[insideMark] === labDirectory;
}

/** The holder of this checkout's living lab, or undefined when none lives. */
export function livingLab(): Holder | undefined {
  if (!existsSync(stateFile)) return undefined;
  const holder = JSON.parse(readFileSync(stateFile, "utf8")) as Holder;
  return startOf(holder.pid) === holder.started ? holder : undefined;
}

/** Makes the namespaces of this checkout's lab. */
export async function startNamespaces(): Promise<void> {
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
      join(import.meta.dirname, "namespace-init.sh"),
      labDirectory,
    ],
    log,
    { cwd: "/", env: { [insideMark]: labDirectory } },
  );
  if (unshare.pid === undefined) {
    throw new LabError(`unshare could not be started; see ${log}`);
  }
  for (const deadline = Date.now() + 10_000; !existsSync(readyFile); ) {
    if (startOf(unshare.pid) === undefined || Date.now() > deadline) {
      throw new LabError(
        `The lab's namespaces could not be made: ${readFileSync(log, "utf8").trim() || "no message"}\n  log: ${log}\n  It needs root and a kernel with network, mount and process namespaces (in a container: run it with --privileged).`,
      );
    }
    await sleep(20);
  }
  const pid = firstChild(unshare.pid);
  const started = pid === undefined ? undefined : startOf(pid);
  if (pid === undefined || started === undefined) {
    throw new LabError(`The lab's first process is gone; see ${log}`);
  }
  await writeFile(stateFile, JSON.stringify({ pid, started } satisfies Holder));
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
  if (!holder) {
    throw new LabError(
      'No lab is running in this checkout; "npm start" makes one.',
    );
  }
  return [
    "setpriv",
    "--pdeathsig=KILL",
    "nsenter",
    `--target=${String(holder.pid)}`,
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

/** Ends the lab and removes what it leaves: its control groups and `.lab`. */
export async function stopNamespaces(): Promise<void> {
  const holder = livingLab();
  if (holder) {
    process.kill(holder.pid, "SIGKILL");
    for (
      const deadline = Date.now() + 10_000;
      startOf(holder.pid) !== undefined && Date.now() < deadline;
    ) {
      await sleep(20);
    }
  }
  await removeControlGroups();
  await rm(labDirectory, { recursive: true, force: true });
}

/** Control groups outlive their processes; they are the lab's only traces. */
async function removeControlGroups(): Promise<void> {
  for (const tree of ["", "/systemd", "/unified"]) {
    const top = `/sys/fs/cgroup${tree}/${controlGroup}`;
    if (!existsSync(top)) continue;
    const groups = readdirSync(top, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort((a, b) => b.length - a.length);
    for (const group of [...groups, top]) {
      for (let attempt = 0; ; attempt++) {
        try {
          await rmdir(group);
          break;
        } catch (error) {
          // The kernel takes a moment to let the last dead process go.
          if (attempt === 100) throw error;
          await sleep(20);
        }
      }
    }
  }
}

/** Start time of a process, field 22 of proc_pid_stat(5). */
export function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** The first child of a process, or undefined when it has none. */
export function firstChild(pid: number): number | undefined {
  try {
    const path = `/proc/${String(pid)}/task/${String(pid)}/children`;
    const first = readFileSync(path, "utf8").split(" ")[0];
    return first ? Number(first) : undefined;
  } catch {
    return undefined;
  }
}
