/** Production (Pulumi.prod.yaml) under the real engine; its stand-in for AWS makes nothing. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { stringify } from "yaml";
import program from "../../infra/index.ts";
import { stackFile } from "../../scripts/stack.ts";
import { openStack } from "../../scripts/toolchain/stack.ts";
import { type CloudflareServer, startCloudflare } from "./cloudflare-server.ts";
import { engineState, nameOf } from "./engine-state.ts";

let workDir: string;
let cloudflare: CloudflareServer;

beforeEach(async () => {
  workDir = mkdtempSync(join(tmpdir(), "daytona-edge-aws-"));
  writeFileSync(
    join(workDir, "Pulumi.yaml"),
    "name: daytona-edge\nruntime: nodejs\n",
  );
  cloudflare = await startCloudflare("defikit.net", workDir);
  configure({});
});
afterEach(() => {
  cloudflare.stop();
  rmSync(workDir, { recursive: true });
});

/** LumiLink's stack file, with what only LumiLink knows, and what differs. */
function configure(change: Record<string, unknown>): void {
  const config = {
    ...stackFile("prod").config,
    "daytona-edge:cloudflare": { zoneId: cloudflare.zoneId },
    "daytona-edge:upstream": { mode: "daytona", url: "http://10.81.0.10:4000" },
    ...change,
  };
  writeFileSync(join(workDir, "Pulumi.prod.yaml"), stringify({ config }));
}

function open() {
  return openStack({
    stackName: "prod",
    workDir,
    providers: ["aws", "cloudflare", "random"],
    program: () => Promise.resolve({ ...program() }),
  });
}

test("a preview plans it, and does nothing", async () => {
  await using stack = await open();
  const started = performance.now();
  const { changes } = await stack.preview();
  console.log(
    `preview: ${((performance.now() - started) / 1000).toFixed(1)} s`,
  );
  expect(changes).toEqual({ create: expect.any(Number) as unknown });
  expect(cloudflare.records.list()).toEqual([]);
});

test("once up, nothing changes, and the state shows no secret", async () => {
  await using stack = await open();
  await stack.up();
  expect((await stack.up()).changed).toBe(false);
  const { text, resources } = engineState(workDir, "prod");
  expect(text).not.toContain(cloudflare.token);
  for (const resource of resources)
    console.log(resource.type, nameOf(resource));
});
