import Table from "cli-table3";
import { stackConfig } from "../stack.ts";
import { daytona } from "./daytona-server.ts";
import { isRunning, machineNames } from "./machine.ts";

/** What each machine of the lab is for. */
const roles: Readonly<Record<string, string>> = {
  internet: "stand-ins: DNS, Cloudflare, ACME (Pebble), the API hosts",
  daytona: "stand-in: Daytona and its sandboxes; the gateway is here",
  edge: "the edge, and the timer that renews its certificate",
  "edge-signed": "the same of the second stack, with signed access",
};

/** Prints what runs in the lab, and what to try. Runs inside the lab. */
export async function showStatus(): Promise<void> {
  const machines = new Table({
    head: ["machine", "state", "role"],
    style: { head: [], border: [], compact: true },
  });
  for (const name of machineNames()) {
    machines.push([
      name,
      isRunning(name) ? "running" : "stopped",
      roles[name] ?? "",
    ]);
  }
  console.log(machines.toString());

  const domain = stackConfig<string>("domain");
  const sandboxes = new Table({
    head: ["sandbox", "state", "access", "address"],
    style: { head: [], border: [], compact: true },
  });
  for (const { id, state, public: isPublic } of await daytona().list()) {
    sandboxes.push([
      id,
      state,
      isPublic ? "public" : "private",
      `https://${id}-3000.${domain}`,
    ]);
  }
  console.log(sandboxes.toString());
}
