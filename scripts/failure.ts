import { LabError } from "./lab/command.ts";

/** Runs a command's main function; a failure ends it with one clear message. */
export async function main(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    process.exitCode = 1;
    console.error(
      error instanceof LabError || !(error instanceof Error)
        ? `\n${String(error instanceof Error ? error.message : error)}`
        : `\n${error.stack ?? error.message}`,
    );
  }
}
