/** Machines that belong to the stack: given nothing but user data, as on AWS. */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { certificateDirectory, storeDirectory } from "../checkout.ts";
import { awsMachine } from "./aws/machine.ts";
import { LabError } from "./command.ts";
import {
  awsMachines,
  certificateMachines,
  edgeAddresses,
} from "./machine-addresses.ts";
import type { MachineBind, MachineFile, MachineSpec } from "./machine-spec.ts";

const routeUnit = "lab-sandbox-route.service";

/** What an edge has that reaches sandboxes directly. */
const routeToSandboxes = {
  files: [
    {
      path: `/etc/systemd/system/${routeUnit}`,
      content: readFileSync(join(import.meta.dirname, "edge", routeUnit)),
    },
  ],
  units: [routeUnit],
};
const nothing = { files: [], units: [] };

/** What the lab adds to a machine beside its user data. */
interface Place {
  readonly ipv4: string;
  readonly ipv6: string;
  readonly binds: readonly MachineBind[];
  readonly surroundings: {
    readonly files: readonly MachineFile[];
    readonly units: readonly string[];
  };
}

/** Names of the machines that a stack can boot. */
export const stackMachineNames: readonly string[] = [
  ...Object.keys(edgeAddresses),
  ...Object.values(certificateMachines).map(({ name }) => name),
  ...Object.keys(awsMachines),
];

async function placeOf(machine: string): Promise<Place | undefined> {
  for (const [name, addresses] of Object.entries(edgeAddresses)) {
    if (name !== machine) continue;
    const binds = [store(name, { readOnly: true })];
    return { ...addresses, binds, surroundings: routeToSandboxes };
  }
  for (const [edge, certificate] of Object.entries(certificateMachines)) {
    if (certificate.name !== machine) continue;
    const binds = [store(edge, { readOnly: false }), accountOf(edge)];
    return { ...certificate, binds, surroundings: nothing };
  }
  for (const [name, addresses] of Object.entries(awsMachines)) {
    if (name !== machine) continue;
    const surroundings = await awsMachine(name);
    return { ...addresses, binds: [], surroundings };
  }
  return undefined;
}

/** @throws LabError for a name that the lab has no place for. */
export async function stackMachine(
  name: string,
  userData: string,
): Promise<MachineSpec> {
  const place = await placeOf(name);
  if (!place) {
    throw new LabError(
      `The lab has no address for a machine called "${name}"; it can boot: ${stackMachineNames.join(", ")}.`,
    );
  }
  if (userData.trim() === "") {
    throw new LabError(
      `Machine "${name}" got no user data; give it by standard input.`,
    );
  }
  const seed = "/var/lib/cloud/seed/nocloud";
  return {
    name,
    address: place.ipv4,
    address6: place.ipv6,
    files: [
      { path: `${seed}/user-data`, content: userData, mode: 0o600 },
      { path: `${seed}/meta-data`, content: `instance-id: ${name}\n` },
      ...place.surroundings.files,
    ],
    units: place.surroundings.units,
    binds: place.binds,
  };
}

/** The live state of an edge, which only the maker of its certificate writes. */
function store(edge: string, options: Pick<MachineBind, "readOnly">) {
  const host = storeDirectory(edge);
  mkdirSync(host, { recursive: true, mode: 0o700 });
  return { host, machine: "/var/lib/daytona-edge/store", ...options };
}

/** The ACME account and the credentials, which no edge ever sees. */
function accountOf(edge: string): MachineBind {
  const host = certificateDirectory(edge);
  mkdirSync(host, { recursive: true, mode: 0o700 });
  const machine = "/var/lib/daytona-edge/certificate";
  return { host, machine, readOnly: false };
}
