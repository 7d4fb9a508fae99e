import { join } from "node:path";
import { mkdirSync } from "node:fs";
import { labDirectory } from "../checkout.ts";
import { LabError } from "./command.ts";
import type { MachineSpec } from "./machine-spec.ts";

/**
 * A machine that is given nothing but its user data, as on AWS. Its store is
 * the directory that the certificate is issued into, which it may only read.
 * @throws LabError for a name that the lab has no address for.
 */
export function edgeMachine(name: string, userData: string): MachineSpec {
  if (name !== "edge") {
    throw new LabError(
      `The lab has no address for a machine called "${name}"; it can boot: edge.`,
    );
  }
  if (userData.trim() === "") {
    throw new LabError(
      `Machine "${name}" got no user data; give it by standard input.`,
    );
  }
  const store = join(labDirectory, "store");
  mkdirSync(store, { recursive: true, mode: 0o700 });
  const seed = "/var/lib/cloud/seed/nocloud";
  return {
    name,
    address: "198.18.0.4",
    address6: "2001:db8:198:18::4",
    files: [
      { path: `${seed}/user-data`, content: userData, mode: 0o600 },
      { path: `${seed}/meta-data`, content: `instance-id: ${name}\n` },
    ],
    units: [],
    binds: [
      {
        host: store,
        machine: "/var/lib/daytona-edge/store",
        readOnly: true,
      },
    ],
  };
}
