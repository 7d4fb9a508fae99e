import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { imageDirectory } from "./lab/image.ts";
import { insideLab, isInsideLab } from "./lab/namespaces.ts";
import { trustFile } from "./lab/surroundings.ts";
import { ensureRoot } from "./root.ts";

/**
 * Runs this very command again inside the lab, with the lab's certificates
 * trusted, unless it runs there already.
 * @throws LabError when no lab runs.
 */
export function ensureInside(): void {
  if (isInsideLab()) return;
  ensureRoot();
  process.exit(runInside(process.argv.slice(1)));
}

/** Runs a script of this project inside the lab; returns its exit code. */
export function runInside(argv: readonly string[]): number {
  const trust = existsSync(trustFile)
    ? trustFile
    : join(imageDirectory(), "web-ca.pem");
  const [file, ...args] = insideLab([process.execPath, ...argv]);
  const result = spawnSync(file, args, {
    stdio: "inherit",
    env: {
      ...process.env,
      // Node reads the first when it starts; Go programs read the second.
      NODE_EXTRA_CA_CERTS: trust,
      SSL_CERT_FILE: trust,
    },
  });
  if (result.error) throw result.error;
  return result.status ?? 1;
}
