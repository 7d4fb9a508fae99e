/** Pulumi's projects in this checkout, as the stock command line reads them; no program runs. */
import { execa } from "execa";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checkout } from "../../scripts/checkout.ts";
import { ensurePulumi } from "../../scripts/toolchain/pulumi.ts";

let directory: string;
let pulumi: (...words: string[]) => Promise<string>;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "daytona-edge-projects-"));
  const { command } = await ensurePulumi();
  pulumi = async (...words) => {
    const { stdout } = await execa(command, [...words, "--non-interactive"], {
      cwd: directory,
      env: {
        PULUMI_HOME: join(directory, "home"),
        PULUMI_BACKEND_URL: `file://${join(directory, "state")}`,
        PULUMI_CONFIG_PASSPHRASE: "a passphrase",
        PULUMI_SKIP_UPDATE_CHECK: "true",
      },
    });
    return stdout;
  };
  await mkdir(join(directory, "state"));
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

test.each([
  ["Pulumi.yaml", "domain", "sandbox.daytona.example.net"],
  [
    "infra/ci/Pulumi.yaml",
    "secretsKey",
    "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
  ],
])(
  "%s: a stack is made and takes its configuration",
  async (file, key, value) => {
    copyFileSync(join(checkout, file), join(directory, "Pulumi.yaml"));
    await pulumi("stack", "init", "x");
    await pulumi("config", "set", "aws:region", "eu-central-1");
    await pulumi("config", "set", "--plaintext", key, value);
    expect(await pulumi("config", "get", key)).toBe(value);
    expect(await pulumi("config", "get", "aws:region")).toBe("eu-central-1");
    await pulumi("stack", "rm", "x", "--yes");
  },
);
