/** What the drift workflow runs every night, by the real engine. */
import * as cloudflare from "@pulumi/cloudflare";
import { execa } from "execa";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { checkout } from "../../scripts/checkout.ts";
import {
  providerSources,
  startProviders,
} from "../../scripts/toolchain/providers/index.ts";
import { ensurePulumi } from "../../scripts/toolchain/pulumi.ts";
import { openStack, pulumiHome } from "../../scripts/toolchain/stack.ts";
import { startCloudflare } from "./cloudflare-server.ts";

/** The step that compares, as it stands in the workflow. */
function compare(): string {
  const { jobs } = parse(
    readFileSync(join(checkout, ".github/workflows/drift.yml"), "utf8"),
  ) as { jobs: { drift: { steps: { id?: string; run?: string }[] } } };
  return jobs.drift.steps.find(({ id }) => id === "compare")?.run ?? "";
}

test("what somebody removed by hand is drift, a stack that cannot be read is not", async () => {
  const workDir = mkdtempSync(join(tmpdir(), "daytona-edge-drift-"));
  writeFileSync(
    join(workDir, "Pulumi.yaml"),
    "name: daytona-edge\nruntime: nodejs\n",
  );
  const zone = await startCloudflare("example.net", workDir);
  const pulumi = await ensurePulumi();
  const providers = await startProviders(
    await providerSources(pulumi, pulumiHome, ["cloudflare"]),
  );
  const night = async (environment: Record<string, string> = {}) => {
    const output = join(workDir, "output");
    writeFileSync(output, "");
    const { exitCode, all } = await execa(
      "bash",
      ["--noprofile", "--norc", "-eo", "pipefail", "-c", compare()],
      {
        ...{ cwd: workDir, reject: false, all: true },
        env: {
          ...providers.env,
          PATH: `${dirname(pulumi.command)}${delimiter}${process.env.PATH ?? ""}`,
          PULUMI_HOME: join(workDir, "home"),
          PULUMI_BACKEND_URL: `file://${join(workDir, "state")}`,
          PULUMI_CONFIG_PASSPHRASE: "local",
          PULUMI_SKIP_UPDATE_CHECK: "true",
          PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
          GITHUB_OUTPUT: output,
          ...environment,
        },
      },
    );
    return { exitCode, all, output: readFileSync(output, "utf8") };
  };
  try {
    await using stack = await openStack({
      stackName: "prod",
      workDir,
      providers: ["cloudflare"],
      program: () => {
        new cloudflare.DnsRecord("record", {
          zoneId: zone.zoneId,
          name: "sandbox.example.net",
          type: "A",
          content: "198.51.100.1",
          ttl: 300,
        });
        return Promise.resolve({});
      },
    });
    await stack.up();
    const quiet = await night();
    expect(quiet, quiet.all).toMatchObject({
      exitCode: 0,
      output: "drift=no\n",
    });

    const [record] = zone.records.list();
    zone.records.remove(record?.id ?? "");
    const drifted = await night();
    expect(drifted, drifted.all).toMatchObject({
      exitCode: 0,
      output: "drift=yes\n",
    });
    expect(drifted.all).toMatch(/DnsRecord: \(delete\)/);
    // It only looked: the next night finds the same.
    expect((await night()).output).toBe("drift=yes\n");

    const closed = await night({
      PULUMI_BACKEND_URL: `file://${join(workDir, "home")}`,
    });
    expect(closed.exitCode).not.toBe(0);
    expect(closed.output).toBe("");
  } finally {
    providers.stop();
    zone.stop();
    rmSync(workDir, { recursive: true });
  }
});
