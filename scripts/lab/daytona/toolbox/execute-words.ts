/**
 * How Daytona's daemon ran commands before v0.156.0 (apps/daemon, process/execute,
 * the parent of its change): it splits words itself and runs the first of them.
 */
import { spawn } from "node:child_process";
import {
  type Execution,
  type ExecutionResult,
  ExecutionTimeout,
} from "./execute.ts";

/** Seconds, where the caller names none. */
const usualTimeout = 360;

/**
 * Of a command that takes too long only the first process is killed, so the answer
 * comes when its children have let go of the output.
 * @throws ExecutionTimeout
 */
export function executeWords(execution: Execution): Promise<ExecutionResult> {
  const { command, cwd, envs, timeout } = execution;
  const [program = "", ...args] = wordsOf(command);
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: cwd === "" ? undefined : cwd,
      env: { ...process.env, ...envs },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
    const seconds = timeout || usualTimeout;
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill("SIGKILL");
    }, seconds * 1000);
    child.on("error", () => {
      clearTimeout(timer);
      resolve({ exitCode: -1, result: "" });
    });
    child.on("close", (exitCode) => {
      clearTimeout(timer);
      if (late) {
        const limit = `${String(seconds)} s`;
        reject(new ExecutionTimeout(`command execution timeout: ${limit}`));
        return;
      }
      const result = Buffer.concat(chunks).toString();
      resolve({ exitCode: exitCode ?? -1, result });
    });
  });
}

/** Quotes of either kind hold words together; nothing else is special. */
function wordsOf(command: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (const character of command) {
    if (quote === undefined && (character === '"' || character === "'")) {
      quote = character;
      word ??= "";
    } else if (character === quote) {
      quote = undefined;
    } else if (quote === undefined && character === " ") {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? "") + character;
    }
  }
  return word === undefined ? words : [...words, word];
}
