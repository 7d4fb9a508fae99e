/** The living lab, as the e2e suites reach it. */
import { type Options, execa } from "execa";
import { join } from "node:path";
import { checkout, trustFile } from "../../scripts/checkout.ts";
import { shellCommand } from "../../scripts/lab/daytona/shell-command.ts";
import { inMachineFromOutside } from "../../scripts/lab/machine.ts";
import { insideLab } from "../../scripts/lab/namespaces.ts";
import { labSecrets } from "../../scripts/lab/secrets.ts";

export {
  firstSandbox as FIRST_SANDBOX,
  secondSandbox as SECOND_SANDBOX,
} from "../../scripts/lab/sandboxes.ts";

export const DOMAIN = "sandbox.daytona.defikit.net";

/** The stack with signed access, straight to the sandboxes. */
export const SIGNED_DOMAIN = "signed.daytona.defikit.net";

export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

/** Runs a program on the lab's operator side. */
export async function inLab(
  argv: readonly string[],
  options: Options = {},
): Promise<Outcome> {
  const [file, ...args] = insideLab(argv);
  const result = await execa(file, args, {
    ...options,
    reject: false,
    env: { NODE_EXTRA_CA_CERTS: trustFile, ...options.env },
  });
  return {
    stdout: String(result.stdout),
    stderr: String(result.stderr),
    exitCode: result.exitCode ?? -1,
  };
}

/** curl on the operator side, with the lab's roots trusted. */
export function labCurl(args: readonly string[]): Promise<Outcome> {
  return inLab(["curl", "-sS", "--cacert", trustFile, ...args]);
}

/** Runs a program on a machine, as root. */
export function labExec(
  machine: string,
  argv: readonly string[],
  options: Options = {},
): Promise<Outcome> {
  return inLab(inMachineFromOutside(machine, argv), options);
}

/** The last rows of an edge's log, one for each request. */
export async function edgeRows(
  machine: string,
  count: number,
): Promise<string[]> {
  // A row comes a moment after its answer, and a suite that looks for what must
  // not be there must not look too soon.
  const { stdout } = await labExec(machine, [
    "sh",
    "-c",
    `sleep 0.3; journalctl --sync; journalctl --no-pager -o cat -t daytona-edge-log -n ${String(count)}`,
  ]);
  return stdout.split("\n").filter((line) => line !== "");
}

/** Runs a command line in a sandbox, by Daytona's toolbox. */
export async function sandboxExec(
  sandbox: string,
  command: string,
): Promise<{ exitCode: number; result: string }> {
  const request = { command: shellCommand(["sh", "-c", command]) };
  const { stdout, stderr, exitCode } = await inLab(
    [
      ...["curl", "-sS", "--fail-with-body", "--json", "@-"],
      ...["-H", `Host: ${DOMAIN}`],
      ...["-H", `Authorization: Bearer ${labSecrets().daytonaApiKey}`],
      `http://198.18.0.3:4000/toolbox/${sandbox}/process/execute`,
    ],
    { input: JSON.stringify(request) },
  );
  if (exitCode !== 0) return { exitCode, result: stdout + stderr };
  const said = JSON.parse(stdout) as { exitCode: number; result: string };
  return { ...said, result: said.result.replace(/\n$/, "") };
}

/** The lab's command line, as a user calls it. */
export function lab(
  args: readonly string[],
  options: Options = {},
): Promise<Outcome> {
  return script("lab/main.ts", args, options);
}

/** One of the project's scripts, inside the lab. */
export function script(
  name: string,
  args: readonly string[],
  options: Options = {},
): Promise<Outcome> {
  return inLab(
    [process.execPath, join(checkout, "scripts", name), ...args],
    options,
  );
}

/** The outputs of the stack with signed access, secrets and all. */
export async function signedOutputs(): Promise<SignedOutputs> {
  const { stdout, stderr, exitCode } = await script("outputs.ts", [
    "--stack",
    "signed",
    "--show-secrets",
  ]);
  if (exitCode !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as SignedOutputs;
}

export interface SignedOutputs {
  readonly domain: string;
  readonly access: {
    readonly mode: "signed";
    readonly key: { readonly kid: string; readonly secret: string };
  };
}
