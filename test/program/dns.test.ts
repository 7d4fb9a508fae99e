/** The wildcard's records, where the edge gets another kind of address. */
import * as pulumi from "@pulumi/pulumi";
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
import { Dns, type EdgeAddress } from "../../infra/dns.ts";
import { type Stack, openStack } from "../../scripts/toolchain/stack.ts";
import { type CloudflareServer, startCloudflare } from "./cloudflare-server.ts";

const published = vi.hoisted(() => ({ ensure: vi.fn() }));
vi.mock("../../infra/published-records.ts", () => ({
  ensurePublished: published.ensure,
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
  published.ensure.mockReset().mockResolvedValue(undefined);
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

test("what the world is told instead is said in plain words", async () => {
  edge = ipv4Only;
  published.ensure.mockRejectedValue(
    new pulumi.RunError("sandbox.example.net does not lead to the edge alone"),
  );
  const stack = await open();
  const failure = await failureOf(stack);
  expect(failure).toContain("does not lead to the edge alone");
  expect(failure).not.toMatch(/\bat \S+ \(/);
});
