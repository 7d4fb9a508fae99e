/** The wildcard's records, where the edge gets another kind of address. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  afterEach,
  beforeEach,
  expect,
  onTestFinished,
  test,
  vi,
} from "vitest";
import type { Answer, Kind } from "../../infra/certificate/name-servers.ts";
import { Dns, type EdgeAddress } from "../../infra/dns.ts";
import { cloudflareProxy } from "../../scripts/lab/internet/hosts.ts";
import { type Stack, openStack } from "../../scripts/toolchain/stack.ts";
import { type CloudflareServer, startCloudflare } from "./cloudflare-server.ts";

const asked = vi.hoisted(() => ({ answers: vi.fn() }));
vi.mock("../../infra/certificate/name-servers.ts", async (original) => ({
  ...(await original<object>()),
  findZone: () => Promise.resolve({ name: "example.net", servers: [] }),
  answers: asked.answers,
}));

let workDir: string;
let server: CloudflareServer;
let edge: EdgeAddress;
beforeEach(async () => {
  workDir = mkdtempSync(join(tmpdir(), "daytona-edge-dns-"));
  writeFileSync(
    join(workDir, "Pulumi.yaml"),
    "name: daytona-edge\nruntime: nodejs\n",
  );
  server = await startCloudflare("example.net", workDir);
  asked.answers.mockReset().mockImplementation(nameServerAnswers);
});
afterEach(() => {
  server.stop();
  rmSync(workDir, { recursive: true });
});

// Not `await using`: Vitest finds no mock in a file that has it.
const open = async () => {
  const stack = await openStack({
    stackName: "t",
    workDir,
    program: () => {
      const { zoneId } = server;
      new Dns("dns", { zoneId, domain: "sandbox.example.net", edge });
      return Promise.resolve({});
    },
  });
  onTestFinished(() => stack[Symbol.asyncDispose]());
  return stack;
};
const wildcard = () =>
  server.records
    .list()
    .filter(({ name }) => name.startsWith("*"))
    .map(({ type, content }) => `${type} ${content}`);

async function failureOf(stack: Stack): Promise<string> {
  return await stack.up().then(
    () => "it went well",
    (error: unknown) => String(error),
  );
}

const both = { ipv4: ["192.0.2.1"], ipv6: ["2001:db8::1"] };
const ipv4Only = { ipv4: ["192.0.2.1"], ipv6: [] };
const balancer = { name: "edge.example.com", ...both };

test("addresses become a name: one at once, several by the lines that are said", async () => {
  const stack = await open();
  edge = ipv4Only;
  await stack.up();
  edge = balancer;
  await stack.up();
  expect(wildcard()).toEqual(["CNAME edge.example.com"]);

  // And back: the name is gone before the second address comes.
  edge = both;
  await stack.up();
  expect(wildcard()).toEqual(["A 192.0.2.1", "AAAA 2001:db8::1"]);

  edge = balancer;
  const failure = await failureOf(stack);
  expect(failure).toContain("*.sandbox.example.net has records still");
  const [, target = ""] = /pulumi destroy --target '(.*)'/.exec(failure) ?? [];
  await stack.destroy([target]);
  expect(wildcard()).toEqual([]);
  await stack.up();
  expect(wildcard()).toEqual(["CNAME edge.example.com"]);
});

test("a record that is proxied by hand: what the world is told, and the line to type, in plain words", async () => {
  edge = ipv4Only;
  const stack = await open();
  await stack.up();
  const record = server.records.list().find(({ name }) => name.startsWith("*"));
  server.records.change(record?.id ?? "", { proxied: true, ttl: 1 });
  const failure = await failureOf(stack);
  const lines = failure.split("\n").map((line) => line.trim());
  const first = "error: sandbox.example.net does not lead to the edge alone:";
  const start = lines.indexOf(first) + 1;
  expect(lines.slice(start, start + 2)).toEqual([
    `*.sandbox.example.net: ns1.cloudflare.internal answers ${cloudflareProxy.ipv4} as A instead of 192.0.2.1`,
    "Where one of the stack's records was changed or removed by hand (proxied, for example), type: pulumi up --refresh",
  ]);
  expect(failure).not.toMatch(/error serializing|\bat \S+ \(/);

  await stack.refresh();
  await stack.up();
  expect(wildcard()).toEqual(["A 192.0.2.1"]);
});

/** What Cloudflare's name servers say of its records. */
function nameServerAnswers(
  _servers: unknown,
  kind: Kind,
  host: string,
): Promise<Answer[]> {
  const values = server.records
    .list()
    .filter(({ name, type }) => name === host && type === kind)
    .map(({ content, proxied }) =>
      proxied === true ? cloudflareProxy.ipv4 : content,
    );
  const state =
    values.length > 0
      ? `answers ${values.join(", ")}`
      : "answers that there is none";
  return Promise.resolve([
    { server: "ns1.cloudflare.internal", values, state },
  ]);
}
