/** Programs of a run, each on one core; runs inside the bench's container. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** The proxy under test has the first core; upstream and load share the second. */
export const proxyCore = 0;
export const loadCore = 1;

/** Starts a program on a core, and waits until it accepts connections. */
export async function start(
  core: number,
  argv: readonly string[],
  port: number,
  env: NodeJS.Dict<string> = {},
  host = "127.0.0.1",
): Promise<ChildProcess> {
  const child = spawn("taskset", ["-c", String(core), ...argv], {
    stdio: ["ignore", "ignore", "inherit"],
    // The container's own first process waits for nobody's word.
    env: { ...process.env, NOTIFY_SOCKET: undefined, ...env },
  });
  for (let attempt = 0; ; attempt++) {
    if (await accepts(port, host)) return child;
    if (attempt > 200 || child.exitCode !== null) {
      throw new Error(`${argv.join(" ")} does not listen on ${String(port)}`);
    }
    await sleep(50);
  }
}

export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) {
    throw new Error(`${child.spawnargs.join(" ")} ended while it was measured`);
  }
  const end = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await end;
}

/** Runs a load generator to its end. */
export async function load(argv: readonly string[]): Promise<string> {
  const { stdout } = await execute(
    "taskset",
    ["-c", String(loadCore), ...argv],
    { maxBuffer: 64 * 1024 * 1024 },
  );
  return stdout;
}

/** Memory that a program and its children keep (RSS), in bytes. */
export function memory(child: ChildProcess): number {
  const { pid = 0 } = child;
  const own = /^VmRSS:\s+(\d+) kB$/m.exec(status(pid))?.[1];
  const children = readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map((entry) => status(Number(entry)))
    .filter((text) => new RegExp(`^PPid:\\s+${String(pid)}$`, "m").test(text))
    .map((text) => Number(/^VmRSS:\s+(\d+) kB$/m.exec(text)?.[1] ?? 0));
  return [Number(own ?? 0), ...children].reduce((a, b) => a + b) * 1024;
}

/** Processor time that programs have used so far (proc(5), stat), in seconds. */
export function cpuSeconds(children: readonly ChildProcess[]): number {
  const ticks = children.map(({ pid = 0 }) => {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, "utf8");
    // The name, in parentheses, may hold anything; user and system time are
    // the 12th and 13th field after it.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return Number(fields[11]) + Number(fields[12]);
  });
  return ticks.reduce((a, b) => a + b) / 100;
}

function status(pid: number): string {
  try {
    return readFileSync(`/proc/${String(pid)}/status`, "utf8");
  } catch {
    return "";
  }
}

function accepts(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => {
      resolve(false);
    });
  });
}
