/**
 * Rules and credentials change under load: what a change does not cover loses
 * no request and no stream, what it does is cut.
 *
 * @module-tag gateway
 */
import Table from "cli-table3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { credentialsDocument } from "../../infra/gateway/credentials-document.ts";
import { rulesDocument } from "../../infra/gateway/rules-document.ts";
import { parseEgressRules } from "../../infra/gateway/rules.ts";
import type { LoadReport } from "./fixtures/egress-load.ts";
import { keepRules, machine, rule } from "./gateway-rules.ts";
import { FIRST_SANDBOX } from "./lab.ts";
import { type SandboxServer, startInSandbox } from "./sandbox-server.ts";

const credential = { header: "Authorization", secret: "openrouter" };
const openrouter = [
  { url: "https://openrouter.ai/api/v1/*", credential },
  // A credential does not go with what nobody can search for it.
  { url: "https://openrouter.ai/api/v1/ws", upgrade: "websocket" },
];
const anthropic = "https://api.anthropic.com/*";
const github = "https://api.github.com/*";
const secrets = { openrouter: "first-secret" };
const rotated = { openrouter: "the-second-secret" };
const at = {
  added: "https://example.org/",
  narrowed: "https://api.github.com/user",
  removed: "https://api.github.com/zen",
  rotated: "https://openrouter.ai/api/v1/echo",
};

/** How long a change may take to be seen, in milliseconds. */
const times: [string, string, string][] = [];
let load: SandboxServer;

afterAll(() => {
  const table = new Table({
    head: ["changed under load", "in force after, s", "cut after, s"],
    style: { head: [], border: [], compact: true },
    colAligns: ["left", "right", "right"],
  });
  table.push(...times);
  console.log(`${table.toString()}\npromised: within 5 s`);
});

keepRules();

// Stopped before the rules come back: hooks after a suite run from the last to
// the first, and the load asks for names until the resolver limits its sandbox.
afterAll(async () => {
  await load.stop();
});

beforeAll(async () => {
  await rule([...openrouter, anthropic, github], secrets);
  load = await startInSandbox(FIRST_SANDBOX, "egress-load.ts", 7300);
});

const report = async () => JSON.parse(await load.control("GET")) as LoadReport;
const lastSaid = ({ inForce }: LoadReport, url: string) =>
  inForce.findLast((it) => it.url === url);

/** What a new connection is told by now. */
const said = (url: string) =>
  expect.poll(async () => lastSaid(await report(), url)?.said);

/** Writes a document, as the stack does, and says when it lay there. */
async function write(name: string, content: string): Promise<number> {
  const written = await machine(
    `cd /var/lib/daytona-edge/store; umask 077; cat >${name}.new; mv ${name}.new ${name}; date +%s%3N`,
    content,
  );
  return Number(written);
}

function rules(...written: unknown[]): string {
  const parsed = parseEgressRules(written);
  expect(parsed.problems).toEqual([]);
  return rulesDocument(parsed.rules);
}

/** Waits until new connections are told so. */
async function inForce(
  what: string,
  written: number,
  url: string,
  wanted: RegExp,
): Promise<LoadReport> {
  await said(url).toMatch(wanted);
  const seen = await report();
  const took = (lastSaid(seen, url)?.at ?? NaN) - written;
  times.push([what, (took / 1000).toFixed(1), ""]);
  return seen;
}

/** Nothing of these hosts failed or ended, and all that is open is alive. */
async function unharmed(...hosts: string[]): Promise<LoadReport> {
  const before = await report();
  const later = await expect
    .poll(async () => {
      const { requests, streams } = await report();
      return (
        hosts.every((host) => (requests[host]?.answered ?? 0) > 20) &&
        streams.every(
          ({ ended, heard }, index) =>
            ended !== undefined || heard > (before.streams[index]?.heard ?? 0),
        )
      );
    })
    .toBe(true)
    .then(report);
  for (const host of hosts) {
    expect(later.requests[host]?.failed, host).toEqual({});
    const streams = later.streams.filter((it) => new URL(it.url).host === host);
    expect(streams.length, host).toBeGreaterThan(0);
    for (const stream of streams) expect(stream).not.toHaveProperty("ended");
  }
  return later;
}

const others = ["api.anthropic.com", "openrouter.ai"];

test("rules added, narrowed, removed, a credential rotated, under load", async () => {
  await unharmed("api.github.com", ...others);
  await said(at.added).toBe("unreached");
  await said(at.rotated).toBe("200 12");

  // Added: nothing is cut.
  const added = await write(
    "egress-rules.json",
    rules(...openrouter, anthropic, github, "https://example.org/*"),
  );
  await inForce("a rule added", added, at.added, /^200/);
  await unharmed("api.github.com", ...others);

  // Rotated: the next request has the new one, and nothing is cut.
  const turned = await write(
    "egress-credentials.json",
    credentialsDocument(rotated),
  );
  await inForce("a credential rotated", turned, at.rotated, /^200 17$/);
  await unharmed("api.github.com", ...others);

  // Narrowed to one path: a new authority and a reload as well. What was
  // spliced may ask for anything, so it goes.
  const narrowed = await write(
    "egress-rules.json",
    rules(...openrouter, anthropic, {
      url: "https://api.github.com/zen",
      inspect: true,
    }),
  );
  await inForce("a rule narrowed", narrowed, at.narrowed, /^403/);
  await expect
    .poll(async () => githubStreams(await report()))
    .toEqual(Array<unknown>(6).fill(expect.any(Number)));
  const ended = githubStreams(await report()) as number[];
  expect(Math.min(...ended)).toBeGreaterThan(narrowed);
  const cut = Math.max(...ended) - narrowed;
  times.push(["its streams", "", (cut / 1000).toFixed(1)]);
  await unharmed(...others);
  await said(at.removed).toMatch(/^200/);

  // Removed.
  const removed = await write(
    "egress-rules.json",
    rules(...openrouter, anthropic),
  );
  await inForce("a rule removed", removed, at.removed, /^unreached$/);
  const end = await unharmed(...others);
  const sum = others.map((host) => end.requests[host]?.answered ?? 0);
  console.log(
    `requests answered beside the changes, none lost: ${sum.join(", ")}`,
  );
});

function githubStreams({ streams }: LoadReport) {
  return streams
    .filter(({ url }) => new URL(url).host === "api.github.com")
    .map(({ ended }) => ended);
}
