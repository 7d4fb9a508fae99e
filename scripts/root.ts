import { spawnSync } from "node:child_process";
import { cacheDirectory } from "./checkout.ts";
import { LabError } from "./lab/command.ts";
import { dirname } from "node:path";

/**
 * Machines and namespaces need root: starts this very command again under sudo
 * when it was not started by root, and ends with its exit code.
 * @throws LabError when there is no sudo.
 */
export function ensureRoot(): void {
  if (process.getuid?.() === 0) return;
  const result = spawnSync(
    "sudo",
    [
      "--preserve-env",
      "env",
      `PATH=${process.env.PATH ?? ""}`,
      `XDG_CACHE_HOME=${dirname(cacheDirectory)}`,
      process.execPath,
      ...process.argv.slice(1),
    ],
    { stdio: "inherit" },
  );
  if (result.error) {
    throw new LabError(
      `The lab boots machines in namespaces of their own, which needs root, and sudo could not be started (${result.error.message}). Run the command as root, or install sudo.`,
    );
  }
  process.exit(result.status ?? 1);
}
