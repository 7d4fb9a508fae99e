/** Where the gateway has found sandboxes: what is not here is not walled. */
import {
  type FoundSandboxes,
  foundSandboxes,
} from "../../infra/gateway/found-sandboxes.ts";
import type { ServerMachine } from "../deployments/host.ts";
import { type Row, good, lookAt } from "./row.ts";

export function foundSandboxesRows({
  name,
  script,
}: ServerMachine): Promise<Row[]> {
  const what = `${name}: sandboxes`;
  return lookAt(
    what,
    async () =>
      good(
        what,
        foundInWords(
          foundSandboxes.parse(JSON.parse(await script("found-sandboxes"))),
        ),
      ),
    `the gateway's agent asks the server's Docker for them; there: systemctl status docker daytona-gateway-agent`,
  );
}

export function foundInWords({ runner, networks }: FoundSandboxes): string {
  const by =
    runner === undefined ? "the server's Docker" : `Docker in ${runner}`;
  if (networks.length === 0) return `by ${by}: none, and no network of theirs`;
  const each = networks.map(
    ({ name = "no network of Docker's", interface: on, subnets, sandboxes }) =>
      `${String(sandboxes)} on ${name} (${[on, ...subnets].join(", ")})`,
  );
  return `by ${by}: ${each.join("; ")}`;
}
