/** What the lab's metadata service tells a machine from now on. */
import { labExec } from "../lab.ts";

const change = `
  const { readFileSync, renameSync, writeFileSync } = require("node:fs");
  const file = "/etc/lab/metadata.json";
  const now = { ...JSON.parse(readFileSync(file)), ...JSON.parse(process.argv[1]) };
  writeFileSync(file + ".new", JSON.stringify(now));
  renameSync(file + ".new", file);
`;

/** @param values by their path below `meta-data/` */
export async function tellMachine(
  machine: string,
  values: Readonly<Record<string, string>>,
): Promise<void> {
  const { exitCode, stderr } = await labExec(machine, [
    ...["node", "-e", change, JSON.stringify(values)],
  ]);
  if (exitCode !== 0) throw new Error(stderr);
}

const lifecycle = "autoscaling/target-lifecycle-state";

/** As Auto Scaling does when it lets a machine go. */
export function letGo(machine: string): Promise<void> {
  return tellMachine(machine, { [lifecycle]: "Terminated" });
}

/** As if Auto Scaling had never let it go. */
export function keep(machine: string): Promise<void> {
  return tellMachine(machine, { [lifecycle]: "InService" });
}
