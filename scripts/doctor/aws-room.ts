/** Whether there is room for more machines. */
import { spareShare } from "../../infra/platforms/aws/capacity.ts";
import type { GroupMachine, MachineGroup } from "../deployments/aws-groups.ts";
import { type Row, bad, good, warning } from "./row.ts";

/** How many machines a group has at most. */
export interface Sizes {
  /** While today's machines are replaced, as the next `up` may do. */
  readonly replaced: number;
  /** While as many as its maximum are replaced. */
  readonly most: number;
}

/** New machines come before old ones go: infra/platforms/aws/machine-group.ts. */
export function sizesOf(
  group: Pick<MachineGroup, "of" | "minimum" | "maximum" | "desired">,
): Sizes {
  const share = spareShare(group, group.of === "gateways");
  const whileReplaced = (count: number) =>
    // AWS always starts at least one.
    count + Math.max(1, Math.floor((count * share) / 100));
  return {
    replaced: whileReplaced(group.desired),
    most: whileReplaced(group.maximum),
  };
}

/** Without those that leave, which Auto Scaling no longer counts. */
export function staying(group: MachineGroup): GroupMachine[] {
  return group.machines.filter(({ isLeaving }) => !isLeaving);
}

export interface Room extends Sizes {
  readonly what: string;
  /** What is used, or free. */
  readonly found: string;
  readonly free: number;
  readonly fix: string;
}

/** @param room its `replaced` and `most` are what is needed beyond today's use */
export function roomRow({ what, found, free, replaced, most, fix }: Room): Row {
  const said = `${found}; replacing the machines needs ${String(replaced)}, the maximum size ${String(most)}`;
  if (free < replaced) return bad(what, said, fix);
  return free < most ? warning(what, said, fix) : good(what, said);
}
