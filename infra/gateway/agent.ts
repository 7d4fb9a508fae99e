/**
 * The gateway's agent: turns the rules of the store into maps, certificates of
 * the private authority, and names that the sandboxes' resolver answers.
 */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { isDeepStrictEqual, promisify } from "node:util";
import { HaproxyRuntime } from "../machine/agent/haproxy.ts";
import { fileStates, keepForRestart } from "../machine/agent/files.ts";
import { applyMap } from "../machine/agent/map.ts";
import { cutMarked } from "../machine/agent/marked-sockets.ts";
import { type PolledDocument, poll } from "../machine/agent/poll.ts";
import { settingsFrom } from "../machine/agent/setting.ts";
import {
  egressAuthority,
  egressCredentials,
  egressRules,
} from "../machine/live-state.ts";
import * as places from "../machine/places.ts";
import { openStore } from "../machine/store/open.ts";
import type { KeyedCertificate } from "../certificate/egress-ca.ts";
import { ensureAuthority } from "./authority.ts";
import type { Secrets } from "./credentials-document.ts";
import { guardFirewall } from "./firewall-guard.ts";
import { learnMap, learning, learntMark } from "./learn.ts";
import { applyNames, applyUnlisted } from "./resolver-names.ts";
import { credentialsMap, hostsOf } from "./rule-maps.ts";
import { markedBy, narrowedRules } from "./narrowed.ts";
import { type Policy, rulesDocument } from "./rules-document.ts";
import type { EgressRule } from "./rules.ts";
import { watchPorts } from "./port-watch.ts";
import { resolverControl } from "./resolver-control.ts";
import { keepRunnerNames } from "./runner-names.ts";
import { sandboxDocker } from "./runner-place.ts";
import { applyMaps, ruleMaps } from "./runtime-maps.ts";

const state = `${places.state}/gateway`;
const inForce = `${state}/rules-in-force.json`;
const learnFile = `${state}/maps/learn.map`;
const stateFile = `${state}/maps/state.map`;
const setting = settingsFrom(`${places.etc("gateway")}/env`);
const haproxy = new HaproxyRuntime(`${places.run("gateway")}/haproxy.sock`);
const run = promisify(execFile);

/**
 * Whether HAProxy has loaded the certificates that lie on the disk. Kept until
 * a reload succeeds; not known of a HAProxy that an earlier agent left.
 */
let certificatesLoaded = false;

/** The last good state of each document. */
let secrets: Secrets = {};
let rules: readonly EgressRule[] | undefined;
let authority: KeyedCertificate | undefined;

/** What holds since its last step was done; `learn` while it is learnt. */
let applied: Policy | undefined;

/** What an earlier agent had applied: a change may come with a new agent. */
async function policyInForce(): Promise<Policy> {
  try {
    return egressRules.parse(await readFile(inForce, "utf8"));
  } catch {
    // The first start, or a file of another version.
    return { rules: [] };
  }
}

/** Secrets that the rules in force need must all be there; else the old ones stay. */
async function applyCredentials(content: string): Promise<string> {
  const wanted = egressCredentials.parse(content);
  // The rules themselves are applied right after this, with these secrets.
  credentialsMap(rules ?? [], wanted);
  secrets = wanted;
  return Promise.resolve(`${String(Object.keys(wanted).length)} credentials`);
}

/** The rules are applied right after this, with this authority. */
function applyAuthority(content: string): Promise<string> {
  authority = egressAuthority.parse(content);
  return Promise.resolve("the authority of all gateways");
}

/** Learning ends by this clock, without anybody's doing. */
async function applyRules(content: string, address: string): Promise<string> {
  const { rules: wanted, learn } = egressRules.parse(content);
  const { until, said } = learning(learn, new Date());
  const live = await enforce(wanted, until, address);
  return said ? `${live}, ${said}` : live;
}

/** What is not certain opens nothing: the last good rules stay, without learning. */
async function stopLearning(address: string): Promise<void> {
  applied ??= await policyInForce();
  if (!applied.learn) return;
  const unkept = [await applyMap(learnFile, learnMap(undefined), haproxy)];
  await Promise.all([cutMarked([learntMark]), applyUnlisted(false, address)]);
  applied = { rules: applied.rules };
  unkept.push(await keepForRestart(inForce, rulesDocument(applied.rules)));
  throwFirst(unkept);
}

/**
 * The names come last: a host resolves only once the gateway would let it
 * through. A step that fails leaves what was live before.
 * @param learnUntil until when unlisted hosts are let through; absent for not
 */
async function enforce(
  wanted: readonly EgressRule[],
  learnUntil: Date | undefined,
  address: string,
): Promise<string> {
  credentialsMap(wanted, secrets);
  const inspected = hostsOf(wanted, "inspect");
  let unwritten: Error | undefined;
  try {
    const certificatesChanged = await ensureAuthority({
      directory: state,
      hosts: inspected,
      now: new Date(),
      shared: sharedAuthority(inspected),
    });
    if (certificatesChanged) certificatesLoaded = false;
  } catch (error) {
    // A disk that takes no certificate keeps no rule open: a host without one
    // fails in the client's handshake.
    if (!isDiskError(error)) throw error;
    unwritten = new Error(
      `in force, but not kept: a certificate, so its host fails in the handshake: ${error.message}`,
    );
  }
  applied ??= await policyInForce();
  const before = applied.rules;
  // A step that fails may have opened some: they are cut with those of before.
  applied = { ...applied, rules: withoutTwins([...before, ...wanted]) };
  const unkept = [
    unwritten,
    await applyMaps(`${state}/maps`, wanted, secrets, haproxy),
    await applyMap(learnFile, learnMap(learnUntil), haproxy),
  ];
  rules = wanted;
  if (!certificatesLoaded) {
    await run("systemctl", ["reload", "daytona-gateway.service"]);
    certificatesLoaded = true;
  }
  const cut = narrowedRules(before, wanted).map(markedBy);
  // Other rules may inspect what passed unseen.
  const mayStay = learnUntil && isDeepStrictEqual(before, wanted);
  if (applied.learn && !mayStay) cut.push(learntMark);
  // Neither waits for the other: a resolver that is away keeps nothing open.
  await Promise.all([
    cutMarked(cut),
    applyNames(hostsOf(wanted), address).then(() =>
      applyUnlisted(learnUntil !== undefined, address),
    ),
  ]);
  const learn = learnUntil && { until: learnUntil.toISOString() };
  applied = { rules: wanted, learn };
  unkept.push(await keepForRestart(inForce, rulesDocument(wanted, learn)));
  if (hasHealthListener()) {
    unkept.push(await applyMap(stateFile, "rules live\n", haproxy));
  }
  throwFirst(unkept);
  return `${String(wanted.length)} rules, ${String(hostsOf(wanted).length)} hosts, ${String(inspected.length)} inspected`;
}

function withoutTwins(all: readonly EgressRule[]): EgressRule[] {
  return [...new Map(all.map((one) => [JSON.stringify(one), one])).values()];
}

function isDiskError(error: unknown): error is NodeJS.ErrnoException {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  return ["ENOSPC", "EDQUOT", "EROFS", "EIO"].includes(code);
}

/** @throws Error that says what is in force and not kept for a restart */
function throwFirst(errors: readonly (Error | undefined)[]): void {
  const first = errors.find((error) => error !== undefined);
  if (first) throw first;
}

/** @throws Error when hosts are inspected and the store has no authority yet */
function sharedAuthority(
  inspected: readonly string[],
): KeyedCertificate | undefined {
  if (!isAuthorityShared() || inspected.length === 0) return undefined;
  if (!authority) throw new Error(`${egressAuthority.name} is not there yet`);
  return authority;
}

/** What the rules have become: files, HAProxy's maps and the resolver's names. */
async function inPlace(): Promise<unknown> {
  // Its end is nobody's change.
  if (applied?.learn) return undefined;
  const maps = [
    ...ruleMaps.map((name) => `${state}/maps/${name}.map`),
    learnFile,
    ...(hasHealthListener() ? [stateFile] : []),
  ];
  return [
    fileStates([state]),
    await haproxy.commands(maps.map((map) => `show map ${map}`)),
    await resolverControl("list_local_zones"),
    await resolverControl("list_local_data"),
  ];
}

/** Of a list in the environment. */
const wordsOf = (list = "") => list.split(" ").filter((word) => word !== "");

/** Only that listener reads the state. */
const hasHealthListener = () => process.env.GATEWAY_HEALTH_PORT !== undefined;

/** Whether all gateways sign with one authority, which is made elsewhere. */
const isAuthorityShared = () => setting("GATEWAY_AUTHORITY") === "store";

/** What it polls; what a rule needs comes before it. */
export function polledDocuments(address: string): PolledDocument[] {
  return [
    { name: egressCredentials.name, apply: applyCredentials },
    ...(isAuthorityShared()
      ? [{ name: egressAuthority.name, apply: applyAuthority }]
      : []),
    {
      name: egressRules.name,
      apply: (content) => applyRules(content, address),
      onFailure: () => stopLearning(address),
    },
  ];
}

/** @throws Error when a setting is missing, before anything is begun */
export function runAgent(): void {
  const documents = polledDocuments(setting("GATEWAY_ADDRESS"));
  const store = openStore(
    setting("GATEWAY_STORE"),
    documents.map(({ name }) => name),
  );
  const intervalMs = Number(setting("GATEWAY_POLL_SECONDS")) * 1000;
  const isWalled = guardFirewall();
  let looked = Promise.resolve();
  // Alone on its machine it has no bridges of sandboxes.
  if (!isAuthorityShared()) {
    looked = watchPorts({
      ...sandboxDocker(),
      networks: wordsOf(process.env.SANDBOX_NETWORKS),
      builds: process.env.GATEWAY_BUILDS === "enforce",
      isWalled,
    });
    void keepRunnerNames({
      hosts: wordsOf(process.env.GATEWAY_RUNNER_HOSTS),
      address: setting("GATEWAY_ADDRESS"),
      ofRules: () => hostsOf(rules ?? []),
    });
  }
  void poll({
    store,
    documents,
    inPlace,
    intervalMs,
    statusFile: `${places.run("gateway")}/status.json`,
    log: (line) => {
      console.log(line);
    },
    // systemd lets whoever waits for this unit go on: the rules are in force, and
    // what Docker has of sandboxes is walled.
    onLive: async () => {
      await looked;
      await run("systemd-notify", ["--ready"]);
    },
  });
}
