import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { storeDirectory } from "../checkout.ts";
import { LabError } from "./command.ts";
import { edgeAddresses } from "./edge-addresses.ts";
import type { MachineSpec } from "./machine-spec.ts";

const routeUnit = "lab-sandbox-route.service";
const routeToSandboxes = readFileSync(
  join(import.meta.dirname, "edge", routeUnit),
);

/**
 * A machine that is given nothing but its user data, as on AWS. Its store is
 * the directory that the certificate is issued into, which it may only read.
 * @throws LabError for a name that the lab has no address for.
 */
export function edgeMachine(name: string, userData: string): MachineSpec {
  const address = Object.entries(edgeAddresses).find(
    ([edge]) => edge === name,
  )?.[1];
  if (!address) {
    throw new LabError(
      `The lab has no address for a machine called "${name}"; it can boot: ${Object.keys(edgeAddresses).join(", ")}.`,
    );
  }
  if (userData.trim() === "") {
    throw new LabError(
      `Machine "${name}" got no user data; give it by standard input.`,
    );
  }
  const store = storeDirectory(name);
  mkdirSync(store, { recursive: true, mode: 0o700 });
  const seed = "/var/lib/cloud/seed/nocloud";
  return {
    name,
    address: address.ipv4,
    address6: address.ipv6,
    files: [
      { path: `${seed}/user-data`, content: userData, mode: 0o600 },
      { path: `${seed}/meta-data`, content: `instance-id: ${name}\n` },
      { path: `/etc/systemd/system/${routeUnit}`, content: routeToSandboxes },
    ],
    units: [routeUnit],
    binds: [
      {
        host: store,
        machine: "/var/lib/daytona-edge/store",
        readOnly: true,
      },
    ],
  };
}
