/** What the drivers share: they run inside a bench's container, and print JSON lines. */
import { execFileSync, spawn } from "node:child_process";
import { cpus, release } from "node:os";
import { loadCore } from "./processes.ts";

/** Short runs, for a first look. */
export const isQuick = process.env.BENCH_QUICK === "1";

/** The computer that figures are of. */
export interface Machine {
  readonly processor: string;
  readonly kernel: string;
  readonly versions: Readonly<Record<string, string>>;
}

export function say(progress: string): void {
  console.log(JSON.stringify({ progress }));
}

/** Measures, prints the results as the last line, and ends the container. */
export function drive(measure: () => Promise<unknown>): void {
  measure().then(
    (results) => {
      console.log(JSON.stringify({ results }));
      process.exit();
    },
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
}

/** @param programs name → the command that prints its version */
export function machine(
  programs: Readonly<Record<string, readonly [string, ...string[]]>>,
): Machine {
  return {
    processor: cpus()[0]?.model ?? "?",
    kernel: release(),
    versions: Object.fromEntries(
      Object.entries(programs).map(([name, argv]) => [name, version(argv)]),
    ),
  };
}

function version(argv: readonly string[]): string {
  const text = execFileSync("sh", ["-c", [...argv, "2>&1"].join(" ")]);
  return /\d+\.\d+[\w.+~-]*/.exec(text.toString())?.[0] ?? "?";
}

/** Takes the rows of the proxy under test, as the journal does on a machine. */
export function startJournal(): void {
  // Proxies write to it without root's rights.
  const from = "UNIX-RECV:/dev/log,mode=666";
  const argv = ["socat", "-u", from, "OPEN:/dev/null"];
  spawn("taskset", ["-c", String(loadCore), ...argv], { stdio: "inherit" });
}
