/** The gateway under test: the bundle's own files and code, without systemd. */
import { type ChildProcess, execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { parseEnv } from "node:util";
import { ensureAuthority } from "../../../infra/gateway/authority.ts";
import { hostsOf } from "../../../infra/gateway/rule-maps.ts";
import {
  type RuleOptions,
  parseEgressRules,
} from "../../../infra/gateway/rules.ts";
import { applyMaps } from "../../../infra/gateway/runtime-maps.ts";
import { HaproxyRuntime } from "../../../infra/machine/agent/haproxy.ts";
import * as places from "../../../infra/machine/places.ts";
import { proxyCore, start } from "../processes.ts";
import { gatewayState } from "./places.ts";
import { secret } from "./roads.ts";

const etc = places.etc("gateway");
const run = places.run("gateway");

/** Puts the bundle's files where they belong, and the bench's names in the world's place. */
export function layGateway(): NodeJS.Dict<string> {
  cpSync("/bench/machine", "/", { recursive: true });
  cpSync("/bench/files/recursor-roots.conf", `${etc}/recursor-roots.conf`);
  mkdirSync(run, { recursive: true });
  const env = parseEnv(readFileSync(`${etc}/env`, "utf8"));
  execFileSync(`${places.lib}/network-gateway.sh`, ["up"], {
    env: { ...process.env, ...env },
  });
  return env;
}

/** The gateway's own look-ups share its core. */
export function startRecursor(): Promise<ChildProcess> {
  const argv = ["unbound", "-d", "-p", "-c", `${etc}/recursor.conf`];
  return start(proxyCore, argv, places.recursorPort);
}

/**
 * Starts HAProxy with rules in force, as its agent brings them there.
 * @param name of these rules: their certificates are made once
 */
export async function startGateway(
  name: string,
  written: readonly RuleOptions[],
  env: NodeJS.Dict<string>,
): Promise<ChildProcess> {
  const { rules, problems } = parseEgressRules(written);
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  const directory = `${gatewayState}-${name}`;
  if (!existsSync(directory)) mkdirSync(directory, { recursive: true });
  rmSync(gatewayState, { force: true });
  symlinkSync(directory, gatewayState);
  execFileSync(`${places.lib}/prepare-gateway.sh`);
  // Here the real hosts are on the same machine.
  writeFileSync(`${run}/own-addresses.acl`, "");
  await ensureAuthority({
    directory: gatewayState,
    hosts: hostsOf(rules, "inspect"),
    now: new Date(),
  });
  const haproxy = await start(
    proxyCore,
    ["haproxy", "-f", `${etc}/haproxy.cfg`],
    443,
    env,
    env.GATEWAY_ADDRESS,
  );
  await applyMaps(
    `${gatewayState}/maps`,
    rules,
    { bench: secret },
    new HaproxyRuntime(`${run}/haproxy.sock`),
  );
  return haproxy;
}
