/** Which stack a command is about, and how it is asked. */
import type { Command } from "commander";
import { existsSync, readFileSync } from "node:fs";
import type { StackConfig } from "../../infra/config.ts";
import { checkout } from "../checkout.ts";
import { ensureInside } from "../inside.ts";
import { LabError } from "../lab/command.ts";
import { type StackName, stackNames } from "../stack.ts";
import type { Deployment } from "./deployment.ts";
import { hostDeployment } from "./host.ts";
import { labDeployment } from "./lab.ts";
import { pulumiOutputs } from "./outputs.ts";
import { readStackFile } from "./stack-file.ts";

export interface StackOptions {
  /** Absent for the lab's. */
  readonly stack?: string;
  readonly cwd: string;
  readonly identity?: string;
}

/**
 * The options that name a stack, and how its machines are reached.
 * @param usual what is meant without a name, for people
 */
export function withStack(command: Command, usual: string): Command {
  return command
    .option(
      "--stack <name>",
      `a stack of yours, by its Pulumi.<name>.yaml\n(default: ${usual})`,
    )
    .option("-C, --cwd <directory>", "where that file stands", checkout)
    .option(
      "-i, --identity <file>",
      "private key that may log in to its servers\n(default: the SSH agent's)",
    );
}

/**
 * Runs the command again inside the lab where the stack is the lab's.
 * @param usual the lab's stack that is meant without a name
 * @throws LabError that says what of it cannot be read, or is wrong
 */
export async function openDeployment(
  options: StackOptions,
  usual: StackName,
): Promise<Deployment> {
  const { stack: name = usual, cwd, identity } = options;
  if (isLabStack(name) && cwd === checkout) {
    await ensureInside();
    return labDeployment(name);
  }
  const config = readStackFile(name, cwd);
  const { host } = config;
  if (!host) {
    throw new LabError(
      `--stack ${name}: it is of the platform ${config.platform}; this is for the platform host`,
    );
  }
  return hostDeployment({
    ...{ name, config, host },
    privateKey: identity === undefined ? undefined : readIdentity(identity),
    apiKey: process.env.DAYTONA_API_KEY,
    outputs: (shown) => pulumiOutputs({ stack: name, cwd, ...shown }),
  });
}

/**
 * The stack file alone, of a stack that need not run.
 * @throws LabError that says what of it cannot be read, or is wrong
 */
export function readConfig(
  { stack, cwd }: StackOptions,
  usual: StackName,
): StackConfig {
  return readStackFile(stack ?? usual, cwd);
}

/** Those of this checkout; a stack of that name elsewhere is somebody's own. */
function isLabStack(name: string): name is StackName {
  return (stackNames as readonly string[]).includes(name);
}

function readIdentity(file: string): string {
  if (existsSync(file)) return readFileSync(file, "utf8");
  throw new LabError(
    `--identity ${file}: there is no such file; name a private key, or leave it out and use an SSH agent`,
  );
}
