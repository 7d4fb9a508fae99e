/** Programs of the computer that the lab uses, and how they are got. */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { LabError, run } from "./lab/command.ts";

/** Program → the Debian and Ubuntu package that has it. */
const tools: Readonly<Record<string, string>> = {
  curl: "curl",
  ip: "iproute2",
  mmdebstrap: "mmdebstrap",
  nsenter: "util-linux",
  setpriv: "util-linux",
  ssh: "openssh-client",
  "ssh-keygen": "openssh-client",
  "systemd-nspawn": "systemd-container",
  unshare: "util-linux",
};

const searchPath = () => [
  ...(process.env.PATH ?? "").split(delimiter),
  "/usr/sbin",
  "/sbin",
];

/** Whether a program can be started. */
export function hasProgram(name: string): boolean {
  return searchPath().some((directory) => {
    try {
      accessSync(join(directory, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * Packages that are missing here; empty when nothing is.
 * @param more programs beside the lab's own, named like their packages
 */
export function missingPackages(...more: string[]): string[] {
  const missing = [...Object.keys(tools), ...more].filter(
    (tool) => !hasProgram(tool),
  );
  return [...new Set(missing.map((tool) => tools[tool] ?? tool))].sort();
}

/**
 * Installs the missing packages by apt.
 * @throws LabError that names them when there is no apt, or apt fails.
 */
export async function installPackages(packages: string[]): Promise<void> {
  if (packages.length === 0) return;
  if (!hasProgram("apt-get")) {
    throw new LabError(
      `Programs of these Debian packages are missing, and there is no apt-get to install them: ${packages.join(", ")}. Install their like with this system's package manager, then run the command again.`,
    );
  }
  const apt = { env: { DEBIAN_FRONTEND: "noninteractive" } };
  await run(["apt-get", "update", "--quiet"], apt);
  await run(
    ["apt-get", "install", "--yes", "--no-install-recommends", ...packages],
    apt,
  );
}
