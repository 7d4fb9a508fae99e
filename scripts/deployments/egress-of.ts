/** What sandboxes may call, for commands that are about nothing else. */
import type { StackConfig } from "../../infra/config/parse.ts";
import { LabError } from "../lab/command.ts";

/** @throws LabError when the stack has the ingress only */
export function egressOf(
  stack: string,
  { egress }: StackConfig,
): NonNullable<StackConfig["egress"]> {
  if (egress) return egress;
  throw new LabError(
    `the stack ${stack} has the ingress only, so nothing stands between its sandboxes and the world; to have a list of what they may call, set egress.allow in Pulumi.${stack}.yaml`,
  );
}
