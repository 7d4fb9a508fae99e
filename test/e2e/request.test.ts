/** The promises of the README, tried from outside on the living lab. */
import { execa } from "execa";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { checkout } from "../../scripts/checkout.ts";
import { labSecrets } from "../../scripts/lab/secrets.ts";
import { stackDirectory } from "../../scripts/stack.ts";
import { DOMAIN, FIRST_SANDBOX, inLab, lab, labCurl, labExec } from "./lab.ts";

const app = `${FIRST_SANDBOX}-3000.${DOMAIN}`;

describe("the request's own tests", () => {
  test("Test 1: curl -I answers HTTP/2 200 with a verified certificate", async () => {
    const { stdout, exitCode } = await lab(["curl", "-sI", `https://${app}`]);
    expect(stdout).toMatch(/^HTTP\/2 200/);
    expect(exitCode).toBe(0);
  });

  test("without the lab's roots the same certificate is refused", async () => {
    const { exitCode } = await inLab(["curl", "-sI", `https://${app}`]);
    expect(exitCode).toBe(60);
  });

  test("Test 2: a chat completion from inside the sandbox", async () => {
    const { stdout } = await lab([
      "exec",
      FIRST_SANDBOX,
      "--",
      "curl",
      "-sS",
      "-X",
      "POST",
      "https://openrouter.ai/api/v1/chat/completions",
      "-H",
      "Authorization: Bearer x",
      "-H",
      "Content-Type: application/json",
      "-d",
      '{"model":"anthropic/claude-sonnet-4","messages":[{"role":"user","content":"Hello"}]}',
    ]);
    expect(JSON.parse(stdout)).toMatchObject({ object: "chat.completion" });
  });
});

describe("verify", () => {
  test(
    "every probe passes, and --json says so",
    { timeout: 1_200_000 },
    async () => {
      const { stdout, stderr, exitCode } = await inLab([
        process.execPath,
        join(checkout, "scripts/verify.ts"),
        "--json",
      ]);
      if (stdout === "") throw new Error(stderr);
      const report = JSON.parse(stdout) as {
        ok: boolean;
        results: { name: string; ok: boolean; got: string }[];
      };
      expect(report.results.filter((result) => !result.ok)).toEqual([]);
      expect(report.results.map(({ name }) => name)).toEqual(
        expect.arrayContaining([
          "Test 1 of the request",
          "Test 2 of the request",
          "signed: expired",
        ]),
      );
      expect(report.ok).toBe(true);
      expect(exitCode).toBe(0);
    },
  );
});

describe("a new sandbox", () => {
  test("is reached on any port without a change of configuration", async () => {
    const id = (await lab(["sandbox", "add"])).stdout.trim();
    try {
      const { stdout } = await labCurl([
        ...["--retry", "240", "--retry-delay", "1"],
        "--retry-all-errors",
        "--fail",
        `https://${id}-8080.${DOMAIN}/`,
      ]);
      expect(stdout).toContain(id);
      expect((await lab(["sandbox", "list"])).stdout).toContain(id);
    } finally {
      await lab(["sandbox", "remove", id]);
    }
    expect((await lab(["sandbox", "list"])).stdout).not.toContain(id);
  });
});

describe("secrets", () => {
  test("stand in plain in no file of the engine", () => {
    const { operator, cloudflareToken } = labSecrets();
    const files = readdirSync(stackDirectory, {
      recursive: true,
      withFileTypes: true,
    }).filter((entry) => entry.isFile());
    expect(files.length).toBeGreaterThan(3);
    const [, keyLine = ""] = operator.private.split("\n");
    for (const file of files) {
      const text = readFileSync(join(file.parentPath, file.name), "latin1");
      expect(text, file.name).not.toContain(keyLine);
      expect(text, file.name).not.toContain(cloudflareToken);
    }
  });
});

describe("npm start again", () => {
  // Two stacks, looked at again from the engine to the probes of verify.
  const patience = { timeout: 1_200_000 };
  test(
    "changes nothing: the engine says so, and no machine restarts",
    patience,
    async () => {
      const bootOf = async () =>
        (await labExec("edge", ["cat", "/proc/sys/kernel/random/boot_id"]))
          .stdout +
        (await labExec("edge", ["stat", "-c", "%Y", "/proc/1"])).stdout;
      const before = await bootOf();
      const again = await execa(
        process.execPath,
        [join(checkout, "scripts/start.ts")],
        { all: true },
      );
      expect(again.all).toMatch(/pulumi up: no changes/);
      expect(await bootOf()).toBe(before);
    },
  );
});
