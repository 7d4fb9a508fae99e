/** A stack file as the program reads it. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import {
  type StackConfig,
  parseConfig,
  secretKeys,
} from "../../infra/config.ts";
import { problemReport } from "../../infra/config-problems.ts";
import { LabError } from "../lab/command.ts";
import { type StackFile, ownKeys } from "../stack.ts";

/** @throws LabError when there is none, or with what is wrong with it */
export function readStackFile(stack: string, cwd: string): StackConfig {
  const file = join(cwd, `Pulumi.${stack}.yaml`);
  if (!existsSync(file)) {
    throw new LabError(
      `--stack ${stack}: there is no ${file}; name a stack whose file stands in this directory, or another directory by --cwd`,
    );
  }
  return parseStackFile(parse(readFileSync(file, "utf8")) as StackFile, stack);
}

/**
 * But for its secrets.
 * @throws LabError that lists what is wrong with it
 */
export function parseStackFile(file: StackFile, stack: string): StackConfig {
  const given = Object.fromEntries(
    Object.entries(ownKeys(file)).filter(([key]) => !secretKeys.includes(key)),
  );
  const { config, problems } = parseConfig(given, { stack, now: new Date() });
  if (config) return config;
  throw new LabError(
    problemReport(`Pulumi.${stack}.yaml`, "daytona-edge:", problems),
  );
}
