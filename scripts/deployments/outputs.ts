/** The outputs of a stack, by Pulumi's command line. */
import { execa } from "execa";
import { hasProgram } from "../host-tools.ts";
import { LabError } from "../lab/command.ts";
import { ensurePulumi } from "../toolchain/pulumi.ts";

export interface OutputsOptions {
  readonly stack: string;
  /** Holds Pulumi.yaml. */
  readonly cwd: string;
  readonly showSecrets?: boolean | undefined;
}

/**
 * Plain values; a secret one is "[secret]". The backend and the passphrase are
 * the environment's, as for "pulumi up".
 * @throws LabError with what Pulumi said
 */
export async function pulumiOutputs({
  stack,
  cwd,
  showSecrets = false,
}: OutputsOptions): Promise<Record<string, unknown>> {
  const pulumi = hasProgram("pulumi")
    ? "pulumi"
    : (await ensurePulumi()).command;
  const { stdout, stderr, failed } = await execa(
    pulumi,
    [
      ...["stack", "output", "--json", "--non-interactive", "--stack", stack],
      ...(showSecrets ? ["--show-secrets"] : []),
    ],
    { cwd, env: { PULUMI_SKIP_UPDATE_CHECK: "true" }, reject: false },
  );
  if (!failed) return JSON.parse(stdout) as Record<string, unknown>;
  throw new LabError(
    `the outputs of the stack ${stack} cannot be read in ${cwd}: ${stderr.trim()}\nLog in and set the passphrase as for "pulumi up" (PULUMI_BACKEND_URL, PULUMI_CONFIG_PASSPHRASE).`,
  );
}
