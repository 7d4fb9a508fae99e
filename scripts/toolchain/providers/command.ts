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

interface Reached {
  readonly host: string;
  readonly port?: number;
  readonly user?: string;
  readonly privateKey?: string;
  readonly hostKey?: string;
  readonly perDialTimeout?: number;
}

interface Connection extends Reached {
  /** The server on the way. */
  readonly proxy?: Reached;
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
  const connection = inputs.connection as Connection;
  const directory = await mkdtemp(join(tmpdir(), "daytona-edge-ssh-"));
  try {
    const { proxy } = connection;
    const way = proxy && [
      ...["ssh", "-W", "%h:%p"],
      ...(await sshArguments(proxy, join(directory, "proxy"))),
    ];
    return await outcome(
      commandLine,
      "ssh",
      [
        "-T",
        ...(way ? ["-o", `ProxyCommand=${way.join(" ")}`] : []),
        ...(await sshArguments(connection, join(directory, "target"))),
        `${exports(environment)}${commandLine}`,
      ],
      { input: text(inputs.stdin) },
    );
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** How ssh reaches a server, the host last. @param file where its files begin */
async function sshArguments(to: Reached, file: string): Promise<string[]> {
  const options = [
    ...["BatchMode=yes", "LogLevel=ERROR", "StrictHostKeyChecking=yes"],
    `ConnectTimeout=${String(to.perDialTimeout ?? 15)}`,
    "ConnectionAttempts=10",
  ];
  const port = String(to.port ?? 22);
  if (to.hostKey) {
    const names = [`[${to.host}]:${port}`, to.host];
    await writeFile(
      `${file}-known-hosts`,
      names.map((name) => `${name} ${to.hostKey ?? ""}\n`).join(""),
    );
    options.push(`UserKnownHostsFile=${file}-known-hosts`);
  }
  if (to.privateKey) {
    await writeFile(`${file}-key`, `${to.privateKey.trimEnd()}\n`, {
      mode: 0o600,
    });
    options.push(`IdentityFile=${file}-key`, "IdentitiesOnly=yes");
  }
  return [
    ...options.flatMap((option) => ["-o", option]),
    ...["-p", port, "-l", to.user ?? "root", to.host],
  ];
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
