/** Drives the real engine through the Automation API with an inline program. */
import {
  type EngineEvent,
  type InlineProgramArgs,
  LocalWorkspace,
  type PulumiCommand,
  type Stack as EngineStack,
} from "@pulumi/pulumi/automation/index.js";
import { existsSync, readdirSync } from "node:fs";
import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { cacheDirectory } from "../checkout.ts";
import { hasProgram } from "../host-tools.ts";
import { LabError } from "../lab/command.ts";
import { backend } from "./backend.ts";
import { lastChanges } from "./engine-state.ts";
import { stackOutputs } from "./outputs.ts";
import {
  type ProviderName,
  type ProviderSource,
  providerSources,
  startProviders,
} from "./providers/index.ts";
import type { ExistingAws } from "./providers/aws-existing.ts";
import { ensurePulumi } from "./pulumi.ts";

export interface StackOptions {
  readonly stackName: string;
  /** Holds Pulumi.yaml, Pulumi.<stack>.yaml and, below `state`, the state. */
  readonly workDir: string;
  readonly program: InlineProgramArgs["program"];
  /** Configuration that the engine keeps encrypted; full keys. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** Environment of the engine, beside this process's own. */
  readonly env?: Record<string, string>;
  readonly onProgress?: (line: string) => void;
  /** Providers that the program uses; those of the platform host when absent. */
  readonly providers?: readonly ProviderName[];
  /** What the stand-in for AWS holds to be there before the program runs. */
  readonly existing?: ExistingAws;
  /** Directories of policy packs, which then judge each preview and deploy. */
  readonly policyPacks?: readonly string[];
}

export interface Preview {
  readonly changed: boolean;
  /** How many resources each kind of operation is for. */
  readonly changes: Readonly<Record<string, number>>;
  /** What would be done to resources that do not stay the same, by their name. */
  readonly touched: Readonly<Record<string, string>>;
}

export interface Stack extends AsyncDisposable {
  readonly providers: readonly ProviderSource[];
  /** @throws LabError with the engine's own diagnostics */
  up(): Promise<{ changed: boolean }>;
  /** @throws LabError with the engine's own diagnostics */
  preview(): Promise<Preview>;
  /** Reads what there is. @throws LabError with the engine's own diagnostics */
  refresh(): Promise<void>;
  /**
   * @param targets URNs, with `**` for any part; all when absent
   * @throws LabError with the engine's own diagnostics
   */
  destroy(targets?: readonly string[]): Promise<void>;
  /**
   * What `pulumi destroy` does first.
   * @throws LabError with the engine's own diagnostics
   */
  previewDestroy(): Promise<void>;
  /** Plain values; a secret one is "[secret]", wherever it stands. */
  outputs(options?: {
    readonly showSecrets?: boolean | undefined;
  }): Promise<Record<string, unknown>>;
}

/** Home of the plugins that are downloaded; nothing of the user's own is touched. */
export const pulumiHome = join(cacheDirectory, "pulumi-home");

/** Opens a stack, and makes it when it is new. */
export async function openStack(options: StackOptions): Promise<Stack> {
  const pulumi = await ensurePulumi();
  const providers = await providerSources(
    pulumi,
    pulumiHome,
    options.providers ?? ["command", "random", "cloudflare"],
  );
  const served = await startProviders(providers, options.existing);
  try {
    const stack = await select(options, pulumi, served.env);
    const engine = engineRun(stack, options);
    const policyPacks = (options.policyPacks ?? []).map((pack) =>
      runnable(pack, pulumi),
    );
    return {
      providers,
      up: async () => {
        await engine((call) => stack.up({ ...call, policyPacks }));
        return {
          changed: hasChanges(lastChanges(options.workDir, options.stackName)),
        };
      },
      preview: async () => {
        const touched: Record<string, string> = {};
        const onEvent = ({ resourcePreEvent }: EngineEvent) => {
          const { op, urn } = resourcePreEvent?.metadata ?? {};
          // The parts of a replacement are one to whoever reads it.
          if (!op || !urn || /^(same|read)$|-replace/.test(op)) return;
          touched[urn.split("::").at(-1) ?? urn] = op;
        };
        const { changeSummary } = await engine((call) =>
          stack.preview({ ...call, policyPacks, onEvent }),
        );
        const changes = changeSummary as Record<string, number>;
        return { changed: hasChanges(changes), changes, touched };
      },
      previewDestroy: async () => {
        await engine((call) => stack.previewDestroy(call));
      },
      refresh: async () => {
        await engine((call) => stack.refresh(call));
      },
      destroy: async (targets) => {
        await engine((call) =>
          stack.destroy({ ...call, ...(targets && { target: [...targets] }) }),
        );
      },
      outputs: ({ showSecrets } = {}) => {
        const { envVars, pulumiHome } = stack.workspace;
        return stackOutputs({
          command: pulumi.command,
          stack: options.stackName,
          cwd: options.workDir,
          env: { ...envVars, ...(pulumiHome && { PULUMI_HOME: pulumiHome }) },
          showSecrets,
        });
      },
      [Symbol.asyncDispose]: () => {
        served.stop();
        return Promise.resolve();
      },
    };
  } catch (error) {
    served.stop();
    throw error;
  }
}

async function select(
  options: StackOptions,
  pulumiCommand: PulumiCommand,
  env: Record<string, string>,
): Promise<EngineStack> {
  await mkdir(join(options.workDir, "state"), { recursive: true });
  const home = await engineHome(options.workDir);
  const stack = await LocalWorkspace.createOrSelectStack(
    {
      stackName: options.stackName,
      projectName: "daytona-edge",
      program: options.program,
    },
    {
      workDir: options.workDir,
      pulumiHome: home,
      pulumiCommand,
      secretsProvider: "passphrase",
      envVars: {
        ...backend(options.workDir),
        PULUMI_SKIP_UPDATE_CHECK: "true",
        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
        PULUMI_AUTOMATION_API_SKIP_VERSION_CHECK: "true",
        PULUMI_ERROR_OUTPUT_STRING: "true",
        // The key is given; a stale agent would break the plugin's login.
        SSH_AUTH_SOCK: "",
        // Each operation is several short runs of a large Go program, which
        // else collects garbage for a third of its time.
        GOGC: "off",
        GOMEMLIMIT: "512MiB",
        ...env,
        ...options.env,
      },
    },
  );
  const secrets = Object.entries(options.secrets ?? {}).map(
    ([key, value]) => [key, { value, secret: true }] as const,
  );
  if (secrets.length > 0) await stack.setAllConfig(Object.fromEntries(secrets));
  // After each operation the Automation API asks for these by three more runs
  // of the command line, and each derives the key of the secrets anew.
  stack.outputs = () => Promise.resolve({});
  stack.info = () => Promise.resolve(undefined);
  return stack;
}

/**
 * A home of the engine that goes with the work directory; the plugins in it are
 * the cache's. Pulumi keeps a compressed log there of every property that it
 * passes on, which takes two thirds of an operation's processor time and has no
 * switch. It goes on without one where it cannot make the directory.
 */
async function engineHome(workDir: string): Promise<string> {
  const home = join(workDir, "home");
  await mkdir(join(pulumiHome, "plugins"), { recursive: true });
  await mkdir(home, { recursive: true });
  const logs = join(home, "logs");
  await rm(logs, { recursive: true, force: true });
  await writeFile(logs, "");
  if (!existsSync(join(home, "plugins"))) {
    await symlink(join(pulumiHome, "plugins"), join(home, "plugins"));
  }
  return home;
}

interface EngineCall {
  onOutput: (text: string) => void;
  onError: (text: string) => void;
  color: "never";
}

/**
 * Runs an operation of the engine. A lock that a killed run left behind is
 * cleared first: this checkout's lab has one user, and one run at a time.
 */
function engineRun(
  stack: EngineStack,
  { workDir, onProgress = () => undefined }: StackOptions,
): <T>(operation: (call: EngineCall) => Promise<T>) => Promise<T> {
  return async (operation) => {
    if (isLocked(workDir)) await stack.cancel();
    const lines: string[] = [];
    const onOutput = (text: string) => {
      for (const line of text.split("\n").filter((part) => part.trim())) {
        lines.push(line);
        onProgress(line.trim());
      }
    };
    try {
      return await operation({ onOutput, onError: onOutput, color: "never" });
    } catch (error) {
      if (lines.length === 0) throw error;
      throw new LabError(diagnostics(lines));
    }
  };
}

/**
 * A policy pack is run by Pulumi's language host, which comes with the vendor's
 * command line and not otherwise. Without it the engine takes a program.
 */
function runnable(pack: string, { command }: PulumiCommand): string {
  const host = "pulumi-language-nodejs";
  const hasHost = hasProgram(host) || existsSync(join(dirname(command), host));
  return hasHost ? pack : join(import.meta.dirname, "policy-pack.sh");
}

/** What the user must read of a failed run: its policies and its diagnostics. */
export function diagnostics(lines: readonly string[]): string {
  const heading = /^(Policies|Diagnostics):/;
  const start = lines.findIndex((line) => heading.test(line));
  const end = lines.findIndex(
    (line, index) =>
      index > start && /^(Outputs|Resources|Duration):/.test(line),
  );
  if (start === -1) return lines.slice(-20).join("\n");
  return lines
    .slice(start, end === -1 ? undefined : end)
    .filter((line) => !heading.test(line))
    .join("\n");
}

/** Whether the state directory holds a lock (`.pulumi/locks/…/*.json`). */
function isLocked(workDir: string): boolean {
  const locks = join(workDir, "state/.pulumi/locks");
  return (
    existsSync(locks) &&
    readdirSync(locks, { recursive: true }).some((file) =>
      String(file).endsWith(".json"),
    )
  );
}

function hasChanges(changes: Readonly<Record<string, number>>): boolean {
  return Object.entries(changes).some(
    ([kind, count]) => kind !== "same" && count > 0,
  );
}
