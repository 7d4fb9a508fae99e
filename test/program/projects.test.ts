/** Pulumi's projects in this checkout, as the stock command line reads them; no program runs. */
import { execa } from "execa";
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
} from "node:fs";
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
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

test.each(["Pulumi.yaml", "infra/ci/Pulumi.yaml"])(
  "%s: what is missing the program says, not the command line before it",
  async (file) => {
    const text = readFileSync(join(checkout, file), "utf8");
    copyFileSync(join(checkout, file), join(directory, "Pulumi.yaml"));
    const { main } = parse(text) as { main: string };
    expect(existsSync(join(checkout, dirname(file), main))).toBe(true);
    await pulumi("stack", "init", "empty");
    const failure = await pulumi("preview").catch(String);
    await pulumi("stack", "rm", "empty", "--yes");
    expect(failure).not.toContain("missing configuration value");
    // So far it comes: the program is not copied.
    expect(failure).toContain(basename(main));
  },
);
