/**
 * Root in a sandbox chooses the source of its packets. Whatever the gateway's
 * machine would answer goes there, and quotes what it was sent: so a source
 * outside the sandboxes' networks gets no answer at all.
 *
 * @module-tag gateway
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { gateway, journalFromNow, machine } from "./gateway-rules.ts";
import { labExec, sandboxExec } from "./lab.ts";
import { addSandbox, removeSandbox } from "./own-sandbox.ts";

const program = readFileSync(
  join(import.meta.dirname, "fixtures/false-sources.py"),
  "utf8",
);
/** Addresses of the world, where nobody but this suite's counter waits. */
const world = "203.0.113.77";
const world6 = "2001:db8:203::77";
const far = "198.51.100.9";
const server = "172.20.0.1";
const server6 = "2001:db8:20::1";
const far6 = "2001:db8:99::9";

const cases = [
  ...["udp", "question", "syn", "syn-closed", "echo", "protocol"].flatMap(
    (name) => [server, gateway].map((target) => [name, target] as const),
  ),
  ["ttl", far],
  ["udp", far],
  ["options", server],
  ["options", far],
  ["fragment", server],
  ["fragment", gateway],
  ["udp6", server6],
  ["udp6", far6],
  ["hops6", far6],
  ["echo6", server6],
  ["header6", server6],
  ["fragment6", server6],
] as const;

const sandbox = await addSandbox();

/** Sends one case's packets, three of them. */
async function send(name: string, target: string): Promise<void> {
  const source = target.includes(":") ? world6 : world;
  const { exitCode, result } = await sandboxExec(
    sandbox,
    `ping -c 1 -W 1 ${server} >/dev/null; python3 - ${name} ${source} ${target} <<'PROGRAM'\n${program}\nPROGRAM`,
  );
  expect({ result, exitCode }).toMatchObject({ exitCode: 0 });
}

/** What the internet has got for the false sources. */
async function arrived(): Promise<number> {
  const { stdout } = await labExec("internet", [
    ...["nft", "list", "table", "inet", "false_sources"],
  ]);
  return [...stdout.matchAll(/packets (\d+)/g)]
    .map(([, packets]) => Number(packets))
    .reduce((a, b) => a + b, 0);
}

beforeAll(async () => {
  // A fragment is waited for by the clock; this one is moved.
  await machine("sysctl -qw net.ipv4.ipfrag_time=1 net.ipv6.ip6frag_time=1");
  const { exitCode, stderr } = await labExec("internet", [
    "nft",
    `table inet false_sources {
       chain arrived {
         type filter hook prerouting priority -300
         ip daddr ${world} counter
         ip6 daddr ${world6} counter
       }
     }`,
  ]);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
});

afterAll(async () => {
  await machine(
    "sysctl -qw net.ipv4.ipfrag_time=30 net.ipv6.ip6frag_time=60; systemctl reload daytona-gateway-firewall; systemctl start daytona-gateway-agent",
  );
  await labExec("internet", ["nft", "delete table inet false_sources"]);
  await removeSandbox(sandbox);
});

test("nothing is answered to a false source", async () => {
  const rows = await journalFromNow("--unit=daytona-gateway-log");
  for (const [name, target] of cases) await send(name, target);
  // As long as the kernel waits for a fragment, and a little more.
  await sleep(3_000);
  expect(await arrived()).toBe(0);
  await expect.poll(rows).toContain(world);
});

test("the counter counts: without the control data arrives", async () => {
  // Each of these alone is enough.
  await machine(
    `systemctl stop daytona-gateway-agent
     nft flush chain bridge daytona_egress bound_only
     nft flush chain inet daytona_egress true_sources
     ip -4 rule delete priority 10; ip -6 rule delete priority 10`,
  );
  for (const [name, target] of cases) await send(name, target);
  await sleep(3_000);
  await expect.poll(arrived).toBeGreaterThan(10);
});
