/** The sandboxes of a server, from the server itself: its Daytona is closed to all others. */
import { shellCommand } from "../../../scripts/lab/daytona/shell-command.ts";
import type { daytonaMachines } from "../../../scripts/lab/machine-addresses.ts";
import { labSecrets } from "../../../scripts/lab/secrets.ts";
import { FIRST_SANDBOX, labExec } from "../lab.ts";

/** The documented line, as a snapshot has it. */
export const trustAuthority =
  "curl -fsS --retry 10 --retry-delay 1 --retry-all-errors http://gateway.internal/install-ca.sh | sh";

export function sandboxesOf(
  machine: keyof typeof daytonaMachines,
  domain: string,
) {
  /** Runs a line of shell in a sandbox. */
  const inSandbox = async (line: string, id = FIRST_SANDBOX) => {
    const { stdout } = await labExec(
      machine,
      [
        ...["curl", "-sS", "--json", "@-", "-H", `Host: ${domain}`],
        ...["-H", `Authorization: Bearer ${labSecrets().daytonaApiKey}`],
        `http://127.0.0.1:4000/toolbox/${id}/process/execute`,
      ],
      { input: JSON.stringify({ command: shellCommand(["sh", "-c", line]) }) },
    );
    return JSON.parse(stdout) as { exitCode: number; result: string };
  };

  /** What a sandbox gets of a host that is listed. */
  const allowedStatus = async () => {
    const { result } = await inSandbox(
      "curl -sS -m 60 -o /dev/null -w '%{http_code}' https://openrouter.ai/api/v1/models",
    );
    return result.trim();
  };

  /** Whether the first sandbox runs commands: after a start it takes a while. */
  const isUp = () =>
    inSandbox("true").then(
      ({ exitCode }) => exitCode === 0,
      () => false,
    );

  return { inSandbox, allowedStatus, isUp };
}
