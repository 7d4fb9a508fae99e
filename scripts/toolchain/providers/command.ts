/** Stand-in of the `command` provider: really runs the commands. */
import { execa } from "execa";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Properties } from "./properties.ts";
import type { ResourceType } from "./server.ts";

interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one command line with the resource's inputs. */
type Run = (
  commandLine: string,
  inputs: Properties,
  environment: Record<string, string>,
) => Promise<Outcome>;

export const commandTypes: Record<string, ResourceType> = {
  "command:local:Command": commandType(runLocally),
  "command:remote:Command": commandType(runRemotely),
};

function commandType(run: Run): ResourceType {
  const runIfGiven = async (
    commandLine: unknown,
    inputs: Properties,
    previous: Properties = {},
  ): Promise<Properties> => {
    if (typeof commandLine !== "string") return { stdout: "", stderr: "" };
    const environment = {
      ...(inputs.environment as Record<string, string> | undefined),
      PULUMI_COMMAND_STDOUT: text(previous.stdout),
      PULUMI_COMMAND_STDERR: text(previous.stderr),
    };
    const { stdout, stderr } = await run(commandLine, inputs, environment);
    return { stdout, stderr };
  };
  return {
    computed: ["stdout", "stderr"],
    replaceOn: ["triggers"],
    create: async (inputs) => ({
      id: randomBytes(16).toString("hex"),
      outputs: await runIfGiven(inputs.create, inputs),
    }),
    update: ({ inputs, state }) =>
      runIfGiven(inputs.update ?? inputs.create, inputs, state),
    delete: async ({ state }) => {
      await runIfGiven(state.delete, state, state);
    },
  };
}

function runLocally(
  commandLine: string,
  inputs: Properties,
  environment: Record<string, string>,
): Promise<Outcome> {
  const [file = "/bin/sh", ...options] = (inputs.interpreter as
    string[] | undefined) ?? ["/bin/sh", "-c"];
  return outcome(commandLine, file, [...options, commandLine], {
    env: environment,
    input: text(inputs.stdin),
    ...(typeof inputs.dir === "string" ? { cwd: inputs.dir } : {}),
  });
}

/**
 * The system's ssh does the work. Secrets go through files that only this user
 * reads and that are gone afterwards, never through arguments.
 */
async function runRemotely(
  commandLine: string,
  inputs: Properties,
  environment: Record<string, string>,
): Promise<Outcome> {
  const connection = inputs.connection as {
    host: string;
    port?: number;
    user?: string;
    privateKey?: string;
    hostKey?: string;
    perDialTimeout?: number;
  };
  const directory = await mkdtemp(join(tmpdir(), "daytona-edge-ssh-"));
  try {
    const options = ["BatchMode=yes", "LogLevel=ERROR"];
    options.push(
      `ConnectTimeout=${String(connection.perDialTimeout ?? 15)}`,
      "ConnectionAttempts=10",
    );
    const port = String(connection.port ?? 22);
    if (connection.hostKey) {
      const knownHosts = join(directory, "known_hosts");
      await writeFile(
        knownHosts,
        `[${connection.host}]:${port} ${connection.hostKey}\n${connection.host} ${connection.hostKey}\n`,
      );
      options.push(`UserKnownHostsFile=${knownHosts}`);
    }
    options.push("StrictHostKeyChecking=yes");
    if (connection.privateKey) {
      const key = join(directory, "key");
      await writeFile(key, `${connection.privateKey.trimEnd()}\n`, {
        mode: 0o600,
      });
      options.push(`IdentityFile=${key}`, "IdentitiesOnly=yes");
    }
    return await outcome(
      commandLine,
      "ssh",
      [
        "-T",
        ...options.flatMap((option) => ["-o", option]),
        "-p",
        port,
        "-l",
        connection.user ?? "root",
        connection.host,
        `${exports(environment)}${commandLine}`,
      ],
      { input: text(inputs.stdin) },
    );
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Environment for the far side, as sshd takes none by itself. */
function exports(environment: Record<string, string>): string {
  return Object.entries(environment)
    .filter(([, value]) => value !== "")
    .map(
      ([name, value]) => `export ${name}='${value.replaceAll("'", "'\\''")}'; `,
    )
    .join("");
}

async function outcome(
  commandLine: string,
  file: string,
  args: string[],
  options: { env?: Record<string, string>; input: string; cwd?: string },
): Promise<Outcome> {
  const result = await execa(file, args, {
    ...options,
    reject: false,
    maxBuffer: 64 * 1024 * 1024,
  });
  if (result.failed) {
    const output = `${result.stdout}\n${result.stderr}`.trim();
    throw new Error(
      `${result.exitCode === undefined ? result.shortMessage : `exit status ${String(result.exitCode)}`}: running "${commandLine}":\n${output}`,
    );
  }
  return { stdout: result.stdout, stderr: result.stderr };
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
