/**
 * Machines: real Debian systems, each an overlay of the image booted by
 * systemd-nspawn. Everything here runs inside the lab's namespaces.
 */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { labDirectory } from "../checkout.ts";
import { LabError, run, runDetached } from "./command.ts";
import { layDisk } from "./machine-disk.ts";
import type { MachineSpec, Release } from "./machine-spec.ts";
import {
  controlGroup,
  firstChild,
  endControlGroups,
  startOf,
} from "./namespaces.ts";

const machines = join(labDirectory, "machines");
const bootScript = join(import.meta.dirname, "machine-boot.sh");

/** How long a machine may take to start all its units, in milliseconds. */
const bootLimit = 300_000;

/** Names of the machines that this lab has, running or not. */
export function machineNames(): string[] {
  if (!existsSync(machines)) return [];
  return readdirSync(machines)
    .filter((name) => !name.startsWith("."))
    .sort();
}

/** Whether the machine's systemd is alive. */
export function isRunning(name: string): boolean {
  return leader(name) !== undefined;
}

/** Lays a machine's disk. A machine of that name is removed first. */
export async function createMachine(spec: MachineSpec): Promise<void> {
  await removeMachine(spec.name);
  await layDisk(machines, spec);
}

/**
 * Boots a machine that has a disk, and waits until its units have started.
 * What a killed nspawn left running of it is ended first.
 * @throws LabError when it does not come up, with the end of its console.
 */
export async function bootMachine(name: string): Promise<void> {
  if (isRunning(name)) return;
  const directory = join(machines, name);
  const options = JSON.parse(
    readFileSync(join(directory, "options.json"), "utf8"),
  ) as string[];
  await endControlGroups(name);
  await removeInterface(name);
  // Not for each short command: much stands behind the image.
  const { imageDirectory } = await import("./image.ts");
  const release = readFileSync(join(directory, "release"), "utf8");
  const pid = runDetached(
    [
      bootScript,
      join(imageDirectory(release as Release), "root"),
      directory,
      name,
      controlGroup,
      ...options,
    ],
    consoleLog(name),
  );
  const started = pid === undefined ? undefined : startOf(pid);
  await writeFile(
    join(directory, "process.json"),
    JSON.stringify({ pid, started }),
  );
  await waitForUnits(name);
}

/**
 * Lets a machine go down by itself and boots it again, with the disk that it
 * has.
 * @throws LabError when it does not go down or does not come up
 */
export async function rebootMachine(name: string): Promise<void> {
  await run(inMachine(name, ["systemctl", "reboot"]));
  // nspawn ends when its machine reboots: who manages it starts it again.
  for (const deadline = Date.now() + bootLimit; nspawnProcess(name);) {
    if (Date.now() > deadline) {
      throw new LabError(
        `Machine "${name}" does not go down.\n  console: ${consoleLog(name)}`,
      );
    }
    await sleep(50);
  }
  await bootMachine(name);
}

/** Ends a machine at once and removes its disk. */
export async function removeMachine(name: string): Promise<void> {
  const directory = join(machines, name);
  if (!existsSync(directory)) return;
  await endControlGroups(name);
  await removeInterface(name);
  await run(["umount", "--lazy", rootOf(name)]).catch(() => {
    // It was never mounted: the machine had a disk but did not boot.
  });
  await rm(directory, { recursive: true, force: true });
}

/**
 * The command line that runs a command in a machine.
 * @throws LabError when the machine does not run.
 */
export function inMachine(
  name: string,
  argv: readonly string[],
): [string, ...string[]] {
  const pid = leader(name);
  if (pid === undefined) {
    const others = machineNames().join(", ") || "none";
    throw new LabError(
      `No machine "${name}" is running in this lab; it has: ${others}.`,
    );
  }
  return enter(pid, argv);
}

function enter(pid: number, argv: readonly string[]): [string, ...string[]] {
  return [
    "nsenter",
    `--target=${String(pid)}`,
    "--all",
    "env",
    "--ignore-environment",
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME=/root",
    `TERM=${process.env.TERM ?? "dumb"}`,
    ...argv,
  ];
}

/**
 * The same command line for `insideLab`, without a look into the lab's process
 * table: it fails by itself when the machine does not run.
 */
export function inMachineFromOutside(
  name: string,
  argv: readonly string[],
): string[] {
  const nspawn = String(recordedProcess(name)?.pid ?? 0);
  // The leader is asked for in there, where its number is this one.
  const [nsenter, , ...rest] = enter(0, argv);
  const script = `exec ${nsenter} --target="$(cut -d ' ' -f 1 "/proc/$0/task/$0/children")" "$@"`;
  return ["sh", "-c", script, nspawn, ...rest];
}

/** A machine's whole disk, where the lab sees it. */
export function rootOf(name: string): string {
  return join(machines, name, "root");
}

/** Where a machine's console is written. */
export function consoleLog(name: string): string {
  return join(machines, name, "console.log");
}

/** The kernel takes a dead machine's interface away only some time later. */
async function removeInterface(name: string): Promise<void> {
  await run(["ip", "link", "delete", `vb-${name}`]).catch(() => {
    // It is gone already, or the machine has never booted.
  });
}

async function waitForUnits(name: string): Promise<void> {
  let state = "no answer";
  for (const deadline = Date.now() + bootLimit; Date.now() < deadline;) {
    if (nspawnProcess(name) === undefined) break;
    // nspawn's first child is a helper that ends: asked for once, used once.
    const pid = leader(name);
    if (pid !== undefined) {
      state = await run(
        enter(pid, ["systemctl", "is-system-running", "--wait"]),
      ).catch((error: unknown) =>
        String(error).includes("degraded") ? "degraded" : "starting",
      );
      if (state === "running") return;
      if (state === "degraded") break;
    }
    await sleep(50);
  }
  const pid = leader(name);
  const failed =
    pid === undefined
      ? ""
      : await run(
          enter(pid, ["systemctl", "--failed", "--no-legend", "--plain"]),
        ).catch(() => "");
  const console_ = readFileSync(consoleLog(name), "utf8").trimEnd();
  throw new LabError(
    `Machine "${name}" did not start (${state}).\n${failed || console_.split("\n").slice(-15).join("\n")}\n  console: ${consoleLog(name)}`,
  );
}

function nspawnProcess(name: string): number | undefined {
  const recorded = recordedProcess(name);
  return recorded && startOf(recorded.pid) === recorded.started
    ? recorded.pid
    : undefined;
}

/** The nspawn that was started for the machine; it may be gone. */
function recordedProcess(
  name: string,
): { pid: number; started: string } | undefined {
  const file = join(machines, name, "process.json");
  if (!existsSync(file)) return undefined;
  return JSON.parse(readFileSync(file, "utf8")) as {
    pid: number;
    started: string;
  };
}

/** The machine's first process, as the lab numbers it. */
function leader(name: string): number | undefined {
  const pid = nspawnProcess(name);
  return pid === undefined ? undefined : firstChild(pid);
}
