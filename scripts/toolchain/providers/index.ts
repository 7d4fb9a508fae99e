/**
 * Which providers the program uses, and where each comes from: the real plugin
 * when it is installed or can be downloaded, else a stand-in. Test suites get
 * stand-ins only: a plugin would act on whatever account the caller's
 * environment has credentials for.
 */
import type { PulumiCommand } from "@pulumi/pulumi/automation/index.js";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { hasProgram } from "../../host-tools.ts";
import { run } from "../../lab/command.ts";
import { vendorReachable } from "../pulumi.ts";
import type { ExistingAws } from "./aws-existing.ts";
import { awsStandIn } from "./aws.ts";
import { cloudflareTypes } from "./cloudflare.ts";
import { commandTypes } from "./command.ts";
import { randomTypes } from "./random.ts";
import { type RunningStandIn, type StandIn, serve } from "./server.ts";

const names = ["command", "random", "cloudflare", "aws"] as const;
export type ProviderName = (typeof names)[number];

/** Set in the environment of test suites and of all that they start. */
export const standInsOnly = "DAYTONA_EDGE_STAND_INS_ONLY";

const standIns = (
  existing: ExistingAws = {},
): readonly (StandIn & { readonly name: ProviderName })[] => [
  { name: "command", version: sdkVersion("command"), types: commandTypes },
  { name: "random", version: sdkVersion("random"), types: randomTypes },
  {
    name: "cloudflare",
    version: sdkVersion("cloudflare"),
    types: cloudflareTypes,
  },
  {
    name: "aws",
    version: sdkVersion("aws"),
    ...awsStandIn(existing),
  },
];

export interface ProviderSource {
  readonly name: string;
  readonly version: string;
  readonly source:
    | "plugin"
    | "stand-in (plugin download blocked)"
    | "stand-in (always: these scripts never call AWS)"
    | "stand-in (test suite)";
}

/** Where each provider comes from; downloads plugins where that works. */
export async function providerSources(
  pulumi: PulumiCommand,
  pulumiHome: string,
  used: readonly ProviderName[] = names,
): Promise<ProviderSource[]> {
  const asked = standIns().filter(({ name }) => used.includes(name));
  return Promise.all(
    asked.map(async ({ name, version }) => ({
      name,
      version,
      source: await sourceOf(pulumi, pulumiHome, name, version),
    })),
  );
}

async function sourceOf(
  pulumi: PulumiCommand,
  pulumiHome: string,
  name: ProviderName,
  version: string,
): Promise<ProviderSource["source"]> {
  if (process.env[standInsOnly]) return "stand-in (test suite)";
  // Production is for the stock CLI; nothing that is driven from here is.
  if (name === "aws") return "stand-in (always: these scripts never call AWS)";
  return (await hasPlugin(pulumi, pulumiHome, name, version))
    ? "plugin"
    : "stand-in (plugin download blocked)";
}

/**
 * Serves a stand-in for every provider whose plugin cannot be had.
 * @param existing what the one for AWS holds to be there
 * @returns the engine's environment for them, and how to stop them
 */
export async function startProviders(
  sources: readonly ProviderSource[],
  existing?: ExistingAws,
): Promise<{ env: Record<string, string>; stop: () => void }> {
  const running: { name: string; server: RunningStandIn }[] = [];
  for (const standIn of standIns(existing)) {
    const source = sources.find(({ name }) => name === standIn.name)?.source;
    if (source === undefined || source === "plugin") continue;
    running.push({ name: standIn.name, server: await serve(standIn) });
  }
  const addresses = running.map(
    ({ name, server }) => `${name}:${String(server.port)}`,
  );
  return {
    env:
      addresses.length > 0
        ? { PULUMI_DEBUG_PROVIDERS: addresses.join(",") }
        : {},
    stop: () => {
      for (const { server } of running) server.stop();
    },
  };
}

async function hasPlugin(
  pulumi: PulumiCommand,
  pulumiHome: string,
  name: string,
  version: string,
): Promise<boolean> {
  if (hasProgram(`pulumi-resource-${name}`)) return true;
  const directory = `plugins/resource-${name}-v${version}`;
  if (existsSync(join(pulumiHome, directory))) return true;
  if (!(await vendorReachable())) return false;
  return run(
    [pulumi.command, "plugin", "install", "resource", name, `v${version}`],
    { env: { PULUMI_HOME: pulumiHome }, timeout: 300_000 },
  ).then(
    () => true,
    () => false,
  );
}

function sdkVersion(name: string): string {
  const file = createRequire(import.meta.url).resolve(
    `@pulumi/${name}/package.json`,
  );
  const { version } = JSON.parse(readFileSync(file, "utf8")) as {
    version: string;
  };
  return version;
}
