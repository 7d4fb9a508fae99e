import { fixtureProgram } from "./fixture-program.ts";
import { FIRST_SANDBOX, sandboxExec } from "./lab.ts";

/** Runs one of the fixtures in the first sandbox. */
export function runInSandbox<T>(
  fixture: string,
  ...args: string[]
): Promise<T> {
  return runIn(FIRST_SANDBOX, fixture, ...args);
}

/**
 * Runs one of the fixtures with a sandbox's own Node.
 * @returns what it printed, which is JSON
 */
export async function runIn<T>(
  sandbox: string,
  fixture: string,
  ...args: string[]
): Promise<T> {
  const program = fixtureProgram(fixture);
  const words = args.map((arg) => `'${arg}'`).join(" ");
  const { result } = await sandboxExec(
    sandbox,
    `node --input-type=module - ${words} <<'PROGRAM'\n${program}\nPROGRAM`,
  );
  return JSON.parse(result) as T;
}

/**
 * Asks on one connection, before and after something happens.
 * @param asks "around" it only, or "meanwhile" as well, twice a second
 * @returns the statuses
 */
export async function askOnOneConnection(
  [host, path]: readonly [string, string],
  asks: "around" | "meanwhile",
  happens: () => Promise<void>,
): Promise<string[]> {
  const file = `/tmp/connection-${crypto.randomUUID()}`;
  const statuses = runInSandbox<string[]>(
    "gateway-connection.ts",
    ...[host, path, file, asks],
  );
  const first = sandboxExec(
    FIRST_SANDBOX,
    `for _ in $(seq 1200); do if [ -e ${file}.asked ]; then break; fi; sleep 0.1; done`,
  );
  await Promise.race([first, statuses]);
  await happens();
  await sandboxExec(FIRST_SANDBOX, `touch ${file}`);
  return await statuses;
}
