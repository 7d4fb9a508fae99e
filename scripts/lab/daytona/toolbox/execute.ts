import { spawn } from "node:child_process";

export interface Execution {
  readonly command: string;
  readonly cwd?: string | undefined;
  readonly envs?: Record<string, string> | undefined;
  /** Seconds; none when absent or 0. */
  readonly timeout?: number | undefined;
}

export interface ExecutionResult {
  /** -1 when the command could not be started or was ended by a signal. */
  readonly exitCode: number;
  /** Standard output and standard error in the order they were written. */
  readonly result: string;
}

/** The command ran longer than it was allowed to; it has been killed. */
export class ExecutionTimeout extends Error {}

/**
 * One pipe for both streams keeps their order. Node's own is a socket, which
 * `> /dev/stdout` cannot open; in Daytona it is a pipe.
 */
const runInPipe = 'exec > >(exec cat) 2>&1; exec sh -c "$1"';

/**
 * Runs a command with `sh -c` and waits until nobody holds its output any
 * more: as with Daytona, a background process that keeps it holds the answer.
 * @throws ExecutionTimeout
 */
export function execute(execution: Execution): Promise<ExecutionResult> {
  const { command, cwd, envs, timeout } = execution;
  return new Promise((resolve, reject) => {
    const child = spawn("bash", ["-c", runInPipe, "bash", command], {
      cwd: cwd === "" ? undefined : cwd,
      env: { ...process.env, ...envs },
      stdio: ["ignore", "pipe", "ignore"],
      detached: true,
    });
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    const timer = timeout
      ? setTimeout(() => {
          if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
          const limit = `${String(timeout)} s`;
          reject(new ExecutionTimeout(`command execution timeout: ${limit}`));
        }, timeout * 1000)
      : undefined;
    child.on("error", (error) => {
      clearTimeout(timer);
      resolve({ exitCode: -1, result: error.message });
    });
    child.on("close", (exitCode) => {
      clearTimeout(timer);
      const result = Buffer.concat(chunks).toString();
      resolve({ exitCode: exitCode ?? -1, result });
    });
  });
}
