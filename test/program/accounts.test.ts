/**
 * A suite's engine never starts a provider's real plugin, wherever one lies: it
 * would act on the caller's own account.
 */
import * as aws from "@pulumi/aws";
import * as random from "@pulumi/random";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { providerSources } from "../../scripts/toolchain/providers/index.ts";
import { ensurePulumi } from "../../scripts/toolchain/pulumi.ts";
import { openStack, pulumiHome } from "../../scripts/toolchain/stack.ts";

const names = ["aws", "cloudflare", "command", "random"] as const;
const path = process.env.PATH ?? "";

let directory: string;
/** Written by each plugin that is started. */
let started: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "daytona-edge-accounts-"));
  started = join(directory, "started");
  for (const name of names) {
    const plugin = join(directory, `pulumi-resource-${name}`);
    writeFileSync(plugin, `#!/bin/sh\necho ${name} >>${started}\nexit 1\n`);
    chmodSync(plugin, 0o755);
  }
  process.env.PATH = `${directory}${delimiter}${path}`;
});

afterEach(() => {
  process.env.PATH = path;
  rmSync(directory, { recursive: true });
});

test("with real plugins on PATH the stand-ins are served, and no plugin starts", async () => {
  const workDir = join(directory, "stack");
  mkdirSync(workDir);
  writeFileSync(
    join(workDir, "Pulumi.yaml"),
    "name: daytona-edge\nruntime: nodejs\n",
  );
  await using stack = await openStack({
    stackName: "prod",
    workDir,
    providers: ["aws", "random"],
    program: () => {
      new aws.ec2.Vpc("network", { cidrBlock: "10.80.0.0/16" });
      new random.RandomId("id", { byteLength: 4 });
      return Promise.resolve({});
    },
  });
  expect(await stack.up()).toMatchObject({ changed: true });
  expect(existsSync(started)).toBe(false);
});

test("nor is one downloaded or looked for", async () => {
  const sources = await providerSources(await ensurePulumi(), pulumiHome);
  expect(sources.map(({ name, source }) => `${name}: ${source}`)).toEqual([
    "command: stand-in (test suite)",
    "random: stand-in (test suite)",
    "cloudflare: stand-in (test suite)",
    "aws: stand-in (test suite)",
  ]);
});

test("outside of suites, too, AWS is a stand-in and never called", async () => {
  delete process.env.DAYTONA_EDGE_STAND_INS_ONLY;
  try {
    const pulumi = await ensurePulumi();
    const [aws] = await providerSources(pulumi, pulumiHome, ["aws"]);
    expect(aws?.source).toBe("stand-in (always: these scripts never call AWS)");
  } finally {
    process.env.DAYTONA_EDGE_STAND_INS_ONLY = "yes";
  }
});
