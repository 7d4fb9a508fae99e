/** For tests: machines that are given nothing but user data, as on AWS. */
import { LabError } from "../command.ts";
import { awsMachines } from "../machine-addresses.ts";
import type { MachineSpec } from "../machine-spec.ts";
import { awsMachine } from "./machine.ts";

export const awsMachineNames = Object.keys(
  awsMachines,
) as (keyof typeof awsMachines)[];

/** @throws LabError for a name that the lab has no place for. */
export async function bootedMachine(
  name: string,
  userData: string,
): Promise<MachineSpec> {
  const known = awsMachineNames.find((one) => one === name);
  if (!known) {
    throw new LabError(
      `The lab has no address for a machine called "${name}"; it can boot: ${awsMachineNames.join(", ")}.`,
    );
  }
  if (userData.trim() === "") {
    throw new LabError(
      `Machine "${name}" got no user data; give it by standard input.`,
    );
  }
  const { ipv4, ipv6 } = awsMachines[known];
  const { files, units } = await awsMachine(name);
  const seed = "/var/lib/cloud/seed/nocloud";
  return {
    name,
    address: ipv4,
    address6: ipv6,
    files: [
      { path: `${seed}/user-data`, content: userData, mode: 0o600 },
      { path: `${seed}/meta-data`, content: `instance-id: ${name}\n` },
      ...files,
    ],
    units,
  };
}
