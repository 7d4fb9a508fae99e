/** The sandboxes of a server, from the server itself: its Daytona is closed to all others. */
import { gatewayAddress } from "../../../infra/gateway/address.ts";
import type { EgressRule } from "../../../infra/gateway/rules.ts";
import { shellCommand } from "../../../scripts/lab/daytona/shell-command.ts";
import { webHosts } from "../../../scripts/lab/internet/hosts.ts";
import { daytonaMachines } from "../../../scripts/lab/machine-addresses.ts";
import { labSecrets } from "../../../scripts/lab/secrets.ts";
import { refusalsOf } from "../../../scripts/verify/bypass/refusals.ts";
import { liveRows } from "../../../scripts/verify/bypass/rows.ts";
import { bypassTarget } from "../../../scripts/verify/bypass/target.ts";
import { tryRow } from "../../../scripts/verify/bypass/try-row.ts";
import { FIRST_SANDBOX, SECOND_SANDBOX, labExec } from "../lab.ts";

/** The documented line, as a snapshot has it. */
export const trustAuthority =
  "curl -fsS --retry 10 --retry-delay 1 --retry-all-errors http://gateway.internal/install-ca.sh | sh";

export function sandboxesOf(
  machine: keyof typeof daytonaMachines,
  domain: string,
) {
  const { ipv4 } = daytonaMachines[machine];

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

  const addressIn = async (id: string) =>
    (await inSandbox("hostname -I", id)).result.split(" ")[0] ?? "";

  /** What a sandbox gets of a host that is listed. */
  const allowedStatus = async () => {
    const { result } = await inSandbox(
      "curl -sS -m 10 -o /dev/null -w '%{http_code}' https://openrouter.ai/api/v1/models",
    );
    return result.trim();
  };

  /** Tries what "npm run verify -- --bypass" would. */
  const bypasses = async (rules: readonly EgressRule[]) => {
    const rows = liveRows(
      await bypassTarget({
        rules,
        gateway: gatewayAddress,
        forbidden: { ...webHosts.forbidden, host: webHosts.forbidden.name },
        places: [
          ...["3000", "4000", "22", "443", "8404"].map(
            (port) => `${ipv4}:${port}`,
          ),
          "172.20.0.1:3000",
          ...["8404", "22"].map((port) => `${gatewayAddress}:${port}`),
        ],
        otherSandbox: await addressIn(SECOND_SANDBOX),
        nameServers: ["198.18.0.2", ipv4],
        edge: { ipv4, host: `${FIRST_SANDBOX}-3000.${domain}` },
        addressOf: () => Promise.resolve(webHosts.anthropic.ipv4),
      }),
    );
    const refusals = await refusalsOf(
      await addressIn(FIRST_SANDBOX),
      async (script) => {
        const { stdout } = await labExec(machine, ["sh", "-ec", script]);
        return stdout;
      },
    );
    const failed: unknown[] = [];
    for (const row of rows) {
      const outcome = await tryRow(row, inSandbox, refusals);
      if (!outcome.ok) failed.push([row.number, row.attempt, outcome]);
    }
    return { tried: rows.length, failed };
  };

  return { inSandbox, allowedStatus, bypasses };
}
