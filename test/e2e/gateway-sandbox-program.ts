import { fixtureProgram } from "./fixture-program.ts";
import { FIRST_SANDBOX, sandboxExec } from "./lab.ts";

/**
 * Runs one of the fixtures with the sandbox's own Node.
 * @returns what it printed, which is JSON
 */
export async function runInSandbox<T>(
  fixture: string,
  ...args: string[]
): Promise<T> {
  const program = fixtureProgram(fixture);
  const words = args.map((arg) => `'${arg}'`).join(" ");
  const { result } = await sandboxExec(
    FIRST_SANDBOX,
    `node --input-type=module - ${words} <<'PROGRAM'\n${program}\nPROGRAM`,
  );
  return JSON.parse(result) as T;
}
