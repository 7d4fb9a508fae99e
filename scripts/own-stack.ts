/** A stack of one's own on the platform host, which doctor and verify look at. */
import type { Command } from "commander";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { type StackConfig, parseConfig } from "../infra/config/parse.ts";
import { problemReport } from "../infra/config/problems.ts";
import { secretKeys } from "../infra/config/schema.ts";
import type { HostSettings } from "../infra/platforms/host/settings.ts";
import { checkout } from "./checkout.ts";
import { LabError } from "./lab/command.ts";
import {
  type StackFile,
  type StackName,
  labStackFile,
  ownKeys,
} from "./stack.ts";
import { labSecrets } from "./lab/secrets.ts";

export interface OwnStack {
  readonly name: string;
  readonly config: StackConfig;
  readonly host: HostSettings;
  /** Key that may log in to its servers; the SSH agent's when absent. */
  readonly privateKey: string | undefined;
}

export interface OwnStackOptions {
  /** Absent for the lab's stacks. */
  readonly stack?: string;
  readonly cwd: string;
  readonly identity?: string;
}

/** The options that name one, and how its servers are logged in to. */
export function withOwnStack(command: Command): Command {
  return command
    .option(
      "--stack <name>",
      "a stack of yours on the platform host, by its\nPulumi.<name>.yaml (default: the lab's stacks)",
    )
    .option("-C, --cwd <directory>", "where that file stands", checkout)
    .option(
      "-i, --identity <file>",
      "private key that may log in to its servers\n(default: the SSH agent's)",
    );
}

/** @throws LabError that says what of it cannot be read, or is wrong */
export function ownStack(name: string, options: OwnStackOptions): OwnStack {
  const { cwd, identity } = options;
  const file = join(cwd, `Pulumi.${name}.yaml`);
  if (!existsSync(file)) {
    throw new LabError(
      `--stack ${name}: there is no ${file}; name a stack whose file stands in this directory, or another directory by --cwd`,
    );
  }
  if (identity !== undefined && !existsSync(identity)) {
    throw new LabError(
      `--identity ${identity}: there is no such file; name a private key, or leave it out and use an SSH agent`,
    );
  }
  const config = readStackFile(
    parse(readFileSync(file, "utf8")) as StackFile,
    name,
  );
  const privateKey =
    identity === undefined ? undefined : readFileSync(identity, "utf8");
  return ofHost(name, config, privateKey);
}

/** One of the lab's that runs. */
export function labStack(name: StackName): OwnStack {
  const secrets = labSecrets();
  const config = readStackFile(labStackFile(name, secrets), name);
  return ofHost(name, config, secrets.operator.private);
}

/**
 * A stack file as the program reads it, but for its secrets.
 * @throws LabError that lists what is wrong with it
 */
export function readStackFile(file: StackFile, stack: string): StackConfig {
  const given = Object.fromEntries(
    Object.entries(ownKeys(file)).filter(([key]) => !secretKeys.includes(key)),
  );
  const { config, problems } = parseConfig(given, { stack, now: new Date() });
  if (config) return config;
  throw new LabError(
    problemReport(`Pulumi.${stack}.yaml`, "daytona-edge:", problems),
  );
}

function ofHost(
  name: string,
  config: StackConfig,
  privateKey: string | undefined,
): OwnStack {
  const { host, platform } = config;
  if (host) return { name, config, host, privateKey };
  throw new LabError(
    `--stack ${name}: it is of the platform ${platform}, whose servers nobody logs in to; this is for the platform host`,
  );
}
