/**
 * The gateway's agent: turns the rules of the store into maps, certificates of
 * the private authority, and names that the sandboxes' resolver answers.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { HaproxyRuntime } from "../machine/agent/haproxy.ts";
import { poll } from "../machine/agent/poll.ts";
import { DirectoryStore } from "../machine/agent/store.ts";
import { ensureAuthority } from "./authority.ts";
import { applyNames } from "./resolver-names.ts";
import { hostsOf } from "./rule-maps.ts";
import { verifyRules } from "./rules-document.ts";
import { applyMaps } from "./runtime-maps.ts";

const state = "/var/lib/daytona-edge/gateway";
const haproxy = new HaproxyRuntime("/run/daytona-gateway/haproxy.sock");
const run = promisify(execFile);

/**
 * The names come last: a host resolves only once the gateway would let it
 * through. A step that fails leaves what was live before.
 */
async function applyRules(content: Buffer, address: string): Promise<string> {
  const rules = verifyRules(content);
  const inspected = hostsOf(rules, "inspect");
  const certificatesChanged = await ensureAuthority({
    directory: state,
    hosts: inspected,
    now: new Date(),
  });
  await applyMaps(`${state}/maps`, rules, haproxy);
  if (certificatesChanged) {
    await run("systemctl", ["reload", "daytona-gateway.service"]);
  }
  await applyNames(hostsOf(rules), address);
  return `${String(rules.length)} rules, ${String(hostsOf(rules).length)} hosts, ${String(inspected.length)} inspected`;
}

function setting(name: string): string {
  const value = process.env[name];
  if (!value) {
    throw new Error(`${name} is not set; see /etc/daytona-edge/gateway/env`);
  }
  return value;
}

const address = setting("GATEWAY_ADDRESS");
void poll({
  store: new DirectoryStore(setting("GATEWAY_STORE")),
  documents: [
    {
      name: "egress-rules.json",
      apply: (content) => applyRules(content, address),
    },
  ],
  intervalMs: Number(setting("GATEWAY_POLL_SECONDS")) * 1000,
  statusFile: "/run/daytona-gateway/status.json",
  log: (line) => {
    console.log(line);
  },
  // systemd lets whoever waits for this unit go on: the rules are in force.
  onLive: async () => {
    await run("systemd-notify", ["--ready"]);
  },
});
