import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { insideLab, isInsideLab } from "./lab/namespaces.ts";
import { trustFile } from "./checkout.ts";
import { ensureRoot } from "./root.ts";

/**
 * Runs this very command again inside the lab, with the lab's certificates
 * trusted, unless it runs there already.
 * @throws LabError when no lab runs.
 */
export async function ensureInside(): Promise<void> {
  if (isInsideLab()) return;
  ensureRoot();
  process.exit(await runInside(process.argv.slice(1)));
}

/** Runs a script of this project inside the lab; returns its exit code. */
export async function runInside(argv: readonly string[]): Promise<number> {
  const trust = existsSync(trustFile) ? trustFile : await webRoots();
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

/** Before the lab's authorities have certificates, only the image's is known. */
async function webRoots(): Promise<string> {
  // Not for each short command: much stands behind the image.
  const { imageDirectory } = await import("./lab/image.ts");
  return join(imageDirectory(), "web-ca.pem");
}
