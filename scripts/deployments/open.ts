/** Which stack a command is about, and how it is asked. */
import type { Command } from "commander";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { parse } from "yaml";
import * as z from "zod";
import { type StackConfig, parseConfig } from "../../infra/config/parse.ts";
import { problemReport } from "../../infra/config/problems.ts";
import { secretKeys } from "../../infra/config/schema.ts";
import { checkout } from "../checkout.ts";
import { hasProgram } from "../host-tools.ts";
import { ensureInside } from "../inside.ts";
import { LabError } from "../lab/command.ts";
import { labSecrets } from "../lab/secrets.ts";
import {
  type StackFile,
  ownKeys,
  stackDirectory,
  stackNames,
} from "../stack.ts";
import { backend } from "../toolchain/backend.ts";
import { stackOutputs } from "../toolchain/outputs.ts";
import { pulumiProgram } from "../toolchain/pulumi.ts";
import type { AwsDeployment } from "./aws.ts";
import type { Deployment } from "./deployment.ts";
import { type HostDeployment, hostDeployment } from "./host.ts";

export type OpenDeployment = HostDeployment | AwsDeployment;

export interface StackOptions {
  /** Absent for the lab's. */
  readonly stack?: string;
  /** Where the stack's file stands. */
  readonly cwd: string;
  /** File of the key that may log in to its servers. */
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
      "private key that may log in to its servers, on the\nplatform host (default: the SSH agent's)",
    );
}

/**
 * Runs the command again inside the lab where the stack is the lab's.
 * @throws LabError that says what of it cannot be read, or is wrong
 */
export async function openDeployment(
  name: string,
  { cwd, identity }: StackOptions,
): Promise<OpenDeployment> {
  if (isOfLab(name, cwd)) {
    await ensureInside();
    const { operator, daytonaApiKey } = labSecrets();
    return open(name, stackDirectory, {
      ...{ privateKey: operator.private, apiKey: daytonaApiKey },
      env: backend(stackDirectory),
    });
  }
  return open(name, resolve(cwd), {
    privateKey: identity === undefined ? undefined : readIdentity(identity),
    apiKey: process.env.DAYTONA_API_KEY,
    env: {},
  });
}

/**
 * The stack file alone, of a stack that need not run.
 * @throws LabError that says what of it cannot be read, or is wrong
 */
export function readConfig(name: string, { cwd }: StackOptions): StackConfig {
  return readStackFile(name, resolve(cwd));
}

/** In this checkout; a stack of that name elsewhere is somebody's own. */
function isOfLab(name: string, cwd: string): boolean {
  return (
    (stackNames as readonly string[]).includes(name) &&
    resolve(cwd) === checkout
  );
}

interface Access {
  /** Key that may log in to servers; the SSH agent's when absent. */
  readonly privateKey: string | undefined;
  /** Daytona's. */
  readonly apiKey: string | undefined;
  /** Of Pulumi's command line. */
  readonly env: Readonly<Record<string, string>>;
}

async function open(
  name: string,
  cwd: string,
  access: Access,
): Promise<OpenDeployment> {
  const config = readStackFile(name, cwd);
  const outputs: Deployment["outputs"] = async (shown) => {
    const command = hasProgram("pulumi") ? "pulumi" : await pulumiProgram();
    const { env } = access;
    return await stackOutputs({ command, stack: name, cwd, env, ...shown });
  };
  const { host, aws } = config;
  if (host) return hostDeployment({ name, config, host, outputs, ...access });
  if (!aws) throw new Error(`the stack ${name} has neither host nor aws`);
  const project = projectSchema.parse(
    parse(readFileSync(join(cwd, "Pulumi.yaml"), "utf8")),
  ).name;
  // Loaded where it is used: its SDK takes other platforms half a second.
  const { awsDeployment } = await import("./aws.ts");
  return awsDeployment({ name, config, aws, project, outputs });
}

const projectSchema = z.object({ name: z.string() });

/** @throws LabError when there is none, or with what is wrong with it */
function readStackFile(stack: string, cwd: string): StackConfig {
  const path = join(cwd, `Pulumi.${stack}.yaml`);
  if (!existsSync(path)) {
    const here = existsSync(cwd) ? readdirSync(cwd).toSorted() : [];
    const names = here.flatMap(
      (file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.slice(1) ?? [],
    );
    throw new LabError(
      `--stack ${stack}: there is no ${path}; name a stack whose file stands in this directory (${names.join(", ") || "none does"}), or another directory by --cwd`,
    );
  }
  const keys = ownKeys(parse(readFileSync(path, "utf8")) as StackFile);
  const { config, problems } = parseConfig(
    // Secrets are not written there.
    Object.fromEntries(
      Object.entries(keys).filter(([key]) => !secretKeys.includes(key)),
    ),
    { stack, now: new Date() },
  );
  if (config) return config;
  throw new LabError(
    problemReport(`Pulumi.${stack}.yaml`, "daytona-edge:", problems),
  );
}

function readIdentity(file: string): string {
  if (existsSync(file)) return readFileSync(file, "utf8");
  throw new LabError(
    `--identity ${file}: there is no such file; name a private key, or leave it out and use an SSH agent`,
  );
}
