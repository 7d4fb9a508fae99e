/**
 * The lab's servers for edges: a Debian that its operator can log in to, and
 * nothing of ours. `pulumi up` makes edges of them, as of anybody's.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type LoginKeys, loginFiles, loginUnit } from "../login.ts";
import { edgeAddresses } from "../machine-addresses.ts";
import type { MachineBind, MachineSpec } from "../machine-spec.ts";

const routeUnit = "lab-sandbox-route.service";

export function edgeMachine(
  name: keyof typeof edgeAddresses,
  login: LoginKeys,
  binds: readonly MachineBind[] = [],
): MachineSpec {
  const { ipv4, ipv6 } = edgeAddresses[name];
  return {
    name,
    address: ipv4,
    address6: ipv6,
    files: [
      ...loginFiles(login),
      {
        path: `/etc/systemd/system/${routeUnit}`,
        content: readFileSync(join(import.meta.dirname, routeUnit)),
      },
    ],
    units: [loginUnit, routeUnit],
    binds,
  };
}
