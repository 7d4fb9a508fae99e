/**
 * Stand-in of the `command` provider: really runs the commands. What the plugin
 * says is public or secret, prints and gives up is as in its version 1.2.1.
 */
import { execa } from "execa";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
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
  "command:remote:CopyToRemote": {
    computed: [],
    replaceOn: ["triggers", "connection", "remotePath", "source"],
    create: async (inputs) => {
      // The plugin writes it by SFTP, whose server is on every sshd.
      const { path } = inputs.source as { readonly path: string };
      const place = text(inputs.remotePath);
      await runRemotely(`cat >'${place}'`, { ...inputs, stdinFile: path }, {});
      return { id: randomBytes(16).toString("hex"), outputs: {} };
    },
  },
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
      ...(inputs.addPreviousOutputInEnv === false
        ? {}
        : {
            PULUMI_COMMAND_STDOUT: text(previous.stdout),
            PULUMI_COMMAND_STDERR: text(previous.stderr),
          }),
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
  return outcome(commandLine, "exit status", file, [...options, commandLine], {
    env: environment,
    input: text(inputs.stdin),
    ...(typeof inputs.dir === "string" ? { cwd: inputs.dir } : {}),
  });
}

/** What ssh says of a server that it has not come to. */
const notReached =
  /^Process exited with status 255: .*\n(ssh: connect to|kex_exchange_identification:|Connection (closed|reset|timed out))/;

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
  readonly dialErrorLimit?: number;
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
  if (Object.values(environment).some((value) => value !== "")) {
    throw new Error(
      "sshd takes no environment, and the plugin warns of that each time; set addPreviousOutputInEnv to false, and no environment",
    );
  }
  const connection = inputs.connection as Connection;
  const directory = await mkdtemp(join(tmpdir(), "daytona-edge-ssh-"));
  try {
    const { proxy } = connection;
    const way = proxy && [
      ...["ssh", "-W", "%h:%p"],
      ...(await sshArguments(proxy, join(directory, "proxy"))),
    ];
    const args = [
      "-T",
      ...(way ? ["-o", `ProxyCommand=${way.join(" ")}`] : []),
      ...(await sshArguments(connection, join(directory, "target"))),
      commandLine,
    ];
    let delay = 100;
    for (let dials = 1; ; dials++) {
      try {
        return await outcome(
          commandLine,
          "Process exited with status",
          "ssh",
          args,
          typeof inputs.stdinFile === "string"
            ? { inputFile: inputs.stdinFile }
            : { input: text(inputs.stdin) },
        );
      } catch (error) {
        const { message } = error as Error;
        if (!notReached.test(message)) throw error;
        if (dials === (connection.dialErrorLimit ?? 10)) {
          throw new Error(
            `after ${String(dials)} failed attempts: ${message}`,
            {
              cause: error,
            },
          );
        }
      }
      await sleep(delay);
      delay = Math.min(delay * 1.5, 5_000);
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** How ssh reaches a server, the host last. @param file where its files begin */
async function sshArguments(to: Reached, file: string): Promise<string[]> {
  const options = [
    ...["BatchMode=yes", "LogLevel=ERROR", "StrictHostKeyChecking=yes"],
    `ConnectTimeout=${String(to.perDialTimeout ?? 15)}`,
  ];
  const port = String(to.port ?? 22);
  if (to.hostKey) {
    const [type = ""] = to.hostKey.split(" ");
    options.push(`HostKeyAlgorithms=${type}`);
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

/** @param status how Go says with which code it ended */
async function outcome(
  commandLine: string,
  status: string,
  file: string,
  args: string[],
  options: {
    env?: Record<string, string>;
    input?: string;
    inputFile?: string;
    cwd?: string;
  },
): Promise<Outcome> {
  const { inputFile, ...others } = options;
  const input =
    inputFile === undefined ? undefined : createReadStream(inputFile);
  // An open file is handed on: a server's tree is hundreds of megabytes.
  if (input) await once(input, "open");
  const result = await execa(file, args, {
    ...others,
    ...(input && { stdin: input }),
    reject: false,
    all: true,
    maxBuffer: 64 * 1024 * 1024,
  }).finally(() => input?.destroy());
  if (result.failed) {
    const code = result.exitCode;
    throw new Error(
      `${code === undefined ? result.shortMessage : `${status} ${String(code)}`}: running ${JSON.stringify(commandLine)}:\n${result.all}`,
    );
  }
  return { stdout: result.stdout, stderr: result.stderr };
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
