/**
 * The bundle that closes a server's ports to the outside, beside Docker's own
 * rules. The files in server-firewall/ are the files on the machine.
 */
import { join } from "node:path";
import type { Bundle } from "../../machine/bundle.ts";
import { copiedFrom } from "../../machine/copied-file.ts";
import * as places from "../../machine/places.ts";
import { daytonaPorts } from "./daytona-ports.ts";

const copy = copiedFrom(join(import.meta.dirname, "server-firewall"));

export interface ServerFirewallConfig {
  /** Ports of Daytona's that people outside reach, beside SSH and the edge. */
  readonly openPorts: readonly number[];
  /** Networks of operators, who reach all of them. */
  readonly operators: readonly string[];
}

/** Ports that are reached from outside when nothing else is said. */
export const usualOpenPorts = daytonaPorts
  .filter(({ outside }) => outside)
  .map(({ port }) => port);

const etc = places.etc("server");
const { lib, systemd } = places;
const differences = `${lib}/differences-server.sh`;
const unit = "daytona-server-firewall.service";

/** The bundle: a pure function of the configuration and these files. */
export function serverFirewallBundle(config: ServerFirewallConfig): Bundle {
  return {
    name: "server",
    packages: ["nftables"],
    files: [
      copy("nftables.conf", `${etc}/nftables.conf`),
      { path: `${etc}/env`, content: environment(config), mode: 0o644 },
      ...["firewall", "check", "undo"].map((name) =>
        copy(`${name}.sh`, `${lib}/${name}-server.sh`, 0o755),
      ),
      copy("../../../machine/differences.sh", differences, 0o755),
      copy(unit, `${systemd}/${unit}`),
    ],
    units: [unit],
    check: `${lib}/check-server.sh`,
    undo: `${lib}/undo-server.sh`,
    rules: { unit, differences },
    ports: [],
  };
}

/** The sets that nftables.conf is loaded with. */
function environment({ openPorts, operators }: ServerFirewallConfig): string {
  const closed = daytonaPorts
    .map(({ port }) => port)
    .filter((port) => !openPorts.includes(port));
  // What the edge says of itself is an operator's, and nobody else's.
  closed.push(places.healthPort);
  // A set must hold something: nobody outside has this address (RFC 6890).
  const nobody = "192.0.0.8";
  return [
    `CLOSED_PORTS="{ ${closed.join(", ")} }"`,
    `OPERATOR_NETWORKS="{ ${(operators.length > 0 ? operators : [nobody]).join(", ")} }"`,
    "",
  ].join("\n");
}
