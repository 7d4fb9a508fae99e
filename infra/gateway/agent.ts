/**
 * The gateway's agent: turns the rules of the store into maps, certificates of
 * the private authority, and names that the sandboxes' resolver answers.
 */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { writeAtomically } from "../machine/agent/files.ts";
import { HaproxyRuntime } from "../machine/agent/haproxy.ts";
import { cutMarked } from "../machine/agent/marked-sockets.ts";
import { poll } from "../machine/agent/poll.ts";
import { DirectoryStore } from "../machine/agent/store.ts";
import { ensureAuthority } from "./authority.ts";
import { type Secrets, verifyCredentials } from "./credentials-document.ts";
import { ensureFirewall } from "./firewall.ts";
import { applyNames } from "./resolver-names.ts";
import { credentialsMap, hostsOf } from "./rule-maps.ts";
import { markedBy, narrowedRules } from "./narrowed.ts";
import { rulesDocument, verifyRules } from "./rules-document.ts";
import type { EgressRule } from "./rules.ts";
import { applyMaps } from "./runtime-maps.ts";

const state = "/var/lib/daytona-edge/gateway";
const inForce = `${state}/rules-in-force.json`;
const haproxy = new HaproxyRuntime("/run/daytona-gateway/haproxy.sock");
const run = promisify(execFile);

/**
 * Whether HAProxy has loaded the certificates that lie on the disk. Kept until
 * a reload succeeds; not known of a HAProxy that an earlier agent left.
 */
let certificatesLoaded = false;

/** The last good state of each document. */
let secrets: Secrets = {};
let rules: readonly EgressRule[] | undefined;

/** What an earlier agent had applied: a change may come with a new agent. */
async function rulesInForce(): Promise<readonly EgressRule[]> {
  try {
    return verifyRules(await readFile(inForce));
  } catch {
    // The first start, or a file of another version.
    return [];
  }
}

/** Secrets that the rules in force need must all be there; else the old ones stay. */
async function applyCredentials(content: Buffer): Promise<string> {
  const wanted = verifyCredentials(content);
  // The rules themselves are applied right after this, with these secrets.
  credentialsMap(rules ?? [], wanted);
  secrets = wanted;
  return Promise.resolve(`${String(Object.keys(wanted).length)} credentials`);
}

/**
 * The names come last: a host resolves only once the gateway would let it
 * through. A step that fails leaves what was live before.
 */
async function applyRules(content: Buffer, address: string): Promise<string> {
  const wanted = verifyRules(content);
  credentialsMap(wanted, secrets);
  const inspected = hostsOf(wanted, "inspect");
  const certificatesChanged = await ensureAuthority({
    directory: state,
    hosts: inspected,
    now: new Date(),
  });
  if (certificatesChanged) certificatesLoaded = false;
  await applyMaps(`${state}/maps`, wanted, secrets, haproxy);
  const cut = narrowedRules(rules ?? (await rulesInForce()), wanted);
  rules = wanted;
  if (!certificatesLoaded) {
    await run("systemctl", ["reload", "daytona-gateway.service"]);
    certificatesLoaded = true;
  }
  await applyNames(hostsOf(wanted), address);
  await cutMarked(cut.map(markedBy));
  await writeAtomically(inForce, rulesDocument(wanted), 0o600);
  return `${String(wanted.length)} rules, ${String(hostsOf(wanted).length)} hosts, ${String(inspected.length)} inspected`;
}

/** Keeps the firewall in place, whatever becomes of the rules. */
async function guardFirewall(intervalMs: number): Promise<never> {
  let failure = "";
  for (;;) {
    try {
      if (await ensureFirewall()) {
        console.log("firewall: was taken away, is loaded again");
      }
      failure = "";
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (message !== failure) console.error(`firewall: ${message}`);
      failure = message;
    }
    await sleep(intervalMs);
  }
}

function setting(name: string): string {
  const value = process.env[name];
  if (!value) {
    throw new Error(`${name} is not set; see /etc/daytona-edge/gateway/env`);
  }
  return value;
}

const address = setting("GATEWAY_ADDRESS");
const intervalMs = Number(setting("GATEWAY_POLL_SECONDS")) * 1000;
void guardFirewall(intervalMs);
void poll({
  store: new DirectoryStore(setting("GATEWAY_STORE")),
  documents: [
    { name: "egress-credentials.json", apply: applyCredentials },
    {
      name: "egress-rules.json",
      apply: (content) => applyRules(content, address),
    },
  ],
  intervalMs,
  statusFile: "/run/daytona-gateway/status.json",
  log: (line) => {
    console.log(line);
  },
  // systemd lets whoever waits for this unit go on: the rules are in force.
  onLive: async () => {
    await run("systemd-notify", ["--ready"]);
  },
});
