/** The stack `local` as the scripts drive it: the project's own program, in the lab. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { checkout, labDirectory } from "./checkout.ts";
import type { LabSecrets } from "./lab/secrets.ts";

/** Work directory of the engine: copies of the stack's files, and its state. */
export const stackDirectory = join(labDirectory, "pulumi");

interface StackFile {
  config: Record<string, unknown>;
}

/** Pulumi.local.yaml as it stands in the checkout. */
export function stackFile(): StackFile {
  return parse(
    readFileSync(join(checkout, "Pulumi.local.yaml"), "utf8"),
  ) as StackFile;
}

/** One value of Pulumi.local.yaml. */
export function stackConfig<T>(key: string): T {
  return stackFile().config[`daytona-edge:${key}`] as T;
}

/**
 * Lays the engine's work directory: the checkout's own files, to which the
 * lab adds what only it knows, so that the committed file is never touched.
 */
export function layStackDirectory(secrets: LabSecrets): void {
  mkdirSync(stackDirectory, { recursive: true, mode: 0o700 });
  const file = stackFile();
  const gateway = stackConfig<{ server: Record<string, unknown> }>("gateway");
  file.config["daytona-edge:gateway"] = {
    ...gateway,
    server: { ...gateway.server, hostKey: secrets.host.public },
  };
  writeFileSync(join(stackDirectory, "Pulumi.local.yaml"), stringify(file), {
    mode: 0o600,
  });
  // The program is this process; the engine looks for no file of it.
  const project = parse(
    readFileSync(join(checkout, "Pulumi.yaml"), "utf8"),
  ) as Record<string, unknown>;
  delete project.main;
  writeFileSync(join(stackDirectory, "Pulumi.yaml"), stringify(project));
}
