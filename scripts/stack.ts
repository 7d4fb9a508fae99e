/** The lab's stacks as the scripts drive them: the project's own program. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { checkout, labDirectory } from "./checkout.ts";
import { baseSystemFile } from "./lab/base-system.ts";
import type { LabSecrets } from "./lab/secrets.ts";

/** Work directory of the engine: copies of the stack's files, and its state. */
export const stackDirectory = join(labDirectory, "pulumi");

export interface StackFile {
  config: Record<string, unknown>;
}

/** `local` is the main job; `signed` shows the other way of access beside it. */
export const stackNames = ["local", "signed"] as const;
export type StackName = (typeof stackNames)[number];

/** Pulumi.<stack>.yaml as it stands in the checkout. */
export function stackFile(stack: StackName | "prod" = "local"): StackFile {
  return parse(
    readFileSync(join(checkout, `Pulumi.${stack}.yaml`), "utf8"),
  ) as StackFile;
}

/** Pulumi.<stack>.yaml with what only a lab knows: its servers' key, and what its cache holds. */
export function labStackFile(
  stack: StackName,
  secrets: { readonly host: { readonly public: string } },
  baseSystem: object = { baseSystem: baseSystemFile() },
): StackFile {
  const withKey = (server: object) => ({
    ...server,
    hostKey: secrets.host.public,
  });
  const { runners, ...server } = stackConfig<{ runners?: object[] }>(
    "host",
    stack,
  );
  const host = {
    ...withKey(server),
    ...baseSystem,
    ...(runners && { runners: runners.map(withKey) }),
  };
  return {
    config: { ...stackFile(stack).config, "daytona-edge:host": host },
  };
}

/** The project's own keys of a stack file, without their prefix. */
export function ownKeys({ config }: StackFile): Record<string, unknown> {
  const prefix = "daytona-edge:";
  return Object.fromEntries(
    Object.entries(config)
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), value]),
  );
}

/** One value of Pulumi.<stack>.yaml. */
export function stackConfig<T>(key: string, stack: StackName = "local"): T {
  return stackFile(stack).config[`daytona-edge:${key}`] as T;
}

/**
 * Lays the engine's work directory: the checkout's own files, to which the
 * lab adds what only it knows, so that the committed file is never touched.
 */
export function layStackDirectory(secrets: LabSecrets): void {
  mkdirSync(stackDirectory, { recursive: true, mode: 0o700 });
  for (const stack of stackNames) {
    const content = labStackFile(stack, secrets);
    writeFileSync(
      join(stackDirectory, `Pulumi.${stack}.yaml`),
      // Pulumi's YAML reads more kinds of values than this one: times, say.
      stringify(content, { compat: "yaml-1.1" }),
      { mode: 0o600 },
    );
  }
  // The program is this process; the engine looks for no file of it.
  const project = parse(
    readFileSync(join(checkout, "Pulumi.yaml"), "utf8"),
  ) as Record<string, unknown>;
  delete project.main;
  writeFileSync(join(stackDirectory, "Pulumi.yaml"), stringify(project));
}
