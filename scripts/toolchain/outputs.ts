/** The outputs of a stack, by Pulumi's command line. */
import { execa } from "execa";
import { LabError } from "../lab/command.ts";

export interface OutputsOptions {
  /** Pulumi's command line. */
  readonly command: string;
  readonly stack: string;
  /** Holds Pulumi.yaml. */
  readonly cwd: string;
  /** Beside this process's own: the backend, say, and the passphrase. */
  readonly env: Readonly<Record<string, string>>;
  readonly showSecrets?: boolean | undefined;
}

/**
 * Plain values; a secret one is "[secret]", wherever it stands. Stack.outputs()
 * of the Automation API knows only whether a whole output is a secret, and
 * would tell one that stands inside.
 * @throws LabError with what Pulumi said
 */
export async function stackOutputs(
  options: OutputsOptions,
): Promise<Record<string, unknown>> {
  const { command, stack, cwd, env, showSecrets = false } = options;
  const { stdout, stderr, failed } = await execa(
    command,
    [
      ...["stack", "output", "--json", "--non-interactive", "--stack", stack],
      ...(showSecrets ? ["--show-secrets"] : []),
    ],
    { cwd, env: { PULUMI_SKIP_UPDATE_CHECK: "true", ...env }, reject: false },
  );
  if (!failed) return JSON.parse(stdout) as Record<string, unknown>;
  throw new LabError(
    `Pulumi does not say the outputs of the stack ${stack}: ${stderr.trim()}\nThe stack's Pulumi.yaml must stand in ${cwd}, with the backend and the passphrase set as for "pulumi up" (pulumi login, or PULUMI_BACKEND_URL; PULUMI_CONFIG_PASSPHRASE).`,
  );
}
