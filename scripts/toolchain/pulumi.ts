/**
 * Pulumi's command line: the one in the cache, else on PATH, else the vendor's
 * download, else built from its published Go module. Never anything but the real one.
 */
import type { PulumiCommand } from "@pulumi/pulumi/automation/index.js";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { SemVer } from "semver";
import { cacheDirectory } from "../checkout.ts";
import { hasProgram } from "../host-tools.ts";
import { LabError, run } from "../lab/command.ts";

/** The version that is downloaded or built; a newer one on PATH serves too. */
export const pulumiVersion = "3.276.0";

const cliModule = join(import.meta.dirname, "pulumi-cli");

/** How long the vendor may take to answer whether a download works, in ms. */
const probeLimit = 5_000;

/**
 * Finds or gets the command line; once in a process.
 * @param report told what is being done
 * @throws LabError that lists what was tried and why each failed
 */
export async function ensurePulumi(
  report: (detail: string) => void = () => undefined,
): Promise<PulumiCommand> {
  found ??= await find(report);
  return found;
}
let found: PulumiCommand | undefined;

/** The program of the command line, for who only runs it. */
export async function pulumiProgram(): Promise<string> {
  const cached = join(cachedRoot(), "bin/pulumi");
  return existsSync(cached) ? cached : (await ensurePulumi()).command;
}

async function find(report: (detail: string) => void): Promise<PulumiCommand> {
  const root = cachedRoot();
  const tried: string[] = [];
  for (const [name, attempt] of [
    ["cache", () => get(root)],
    ["PATH", () => get()],
    ["download", () => download(root, report)],
    ["build with Go", () => build(root, report)],
  ] as const) {
    try {
      const command = await attempt();
      report(`${String(command.version)} (${name})`);
      return command;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      tried.push(
        `  ${name}: ${message.split("\n").slice(0, 6).join("\n    ")}`,
      );
    }
  }
  throw new LabError(
    `Pulumi's command line ${pulumiVersion} could not be had:\n${tried.join("\n")}\nInstall it (https://www.pulumi.com/docs/install/) or Go (https://go.dev/dl/), then run the command again.`,
  );
}

/** Whether Pulumi's vendor can be reached from here; asked once a process. */
export function vendorReachable(): Promise<boolean> {
  return (vendorAnswer ??= fetch("https://get.pulumi.com/releases/", {
    method: "HEAD",
    signal: AbortSignal.timeout(probeLimit),
  }).then(
    () => true,
    () => false,
  ));
}
let vendorAnswer: Promise<boolean> | undefined;

/** Loaded where it is used: it takes other commands a third of their start. */
function automation() {
  return import("@pulumi/pulumi/automation/index.js");
}

/** Named by its content: the version and everything it is built from. */
function cachedRoot(): string {
  const recipe = createHash("sha256");
  for (const file of ["build.sh", "go.mod", "go.sum"]) {
    recipe.update(readFileSync(join(cliModule, file)));
  }
  const content = recipe.digest("hex").slice(0, 12);
  return join(cacheDirectory, `pulumi-${pulumiVersion}-${content}`);
}

async function get(root?: string): Promise<PulumiCommand> {
  if (root !== undefined && !existsSync(join(root, "bin/pulumi"))) {
    throw new Error("not there yet");
  }
  if (root === undefined && !hasProgram("pulumi")) {
    throw new Error("there is no pulumi on PATH");
  }
  const version = new SemVer(pulumiVersion);
  const { PulumiCommand } = await automation();
  return PulumiCommand.get(
    root === undefined ? { version } : { root, version },
  );
}

async function download(
  root: string,
  report: (detail: string) => void,
): Promise<PulumiCommand> {
  if (!(await vendorReachable())) {
    throw new Error("https://get.pulumi.com cannot be reached from here");
  }
  report("downloading");
  await mkdir(cacheDirectory, { recursive: true });
  const { PulumiCommand } = await automation();
  return PulumiCommand.install({ root, version: new SemVer(pulumiVersion) });
}

async function build(
  root: string,
  report: (detail: string) => void,
): Promise<PulumiCommand> {
  if (!hasProgram("go")) throw new Error("there is no Go on PATH");
  report("building from its Go module, once; takes some minutes");
  await mkdir(cacheDirectory, { recursive: true });
  await run([join(cliModule, "build.sh"), root, `v${pulumiVersion}`]);
  return get(root);
}
