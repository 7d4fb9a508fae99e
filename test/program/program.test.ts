/** The project's own program under the real engine, with no lab behind it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import program from "../../infra/index.ts";
import { stackFile } from "../../scripts/stack.ts";
import { openStack } from "../../scripts/toolchain/stack.ts";

let workDir: string;
beforeEach(() => {
  workDir = mkdtempSync(join(tmpdir(), "daytona-edge-program-"));
  writeFileSync(
    join(workDir, "Pulumi.yaml"),
    "name: daytona-edge\nruntime: nodejs\n",
  );
});
afterEach(() => {
  rmSync(workDir, { recursive: true });
});

/** Previews the program with the lab's configuration, changed. */
async function preview(change: Record<string, unknown> = {}) {
  const config = {
    ...stackFile().config,
    "daytona-edge:sshPrivateKey": "a key",
    ...change,
  };
  writeFileSync(join(workDir, "Pulumi.local.yaml"), stringify({ config }));
  await using stack = await openStack({
    stackName: "local",
    workDir,
    program: () => Promise.resolve({ ...program() }),
    env: { CLOUDFLARE_API_TOKEN: "not used by a preview" },
  });
  return await stack.preview();
}

describe("the program", () => {
  test("plans every part of the system, and does nothing", async () => {
    const { changes } = await preview();
    // The stack, 5 components, 5 commands, 6 records.
    expect(changes).toEqual({ create: 17 });
  });

  test("a wrong configuration fails the preview with all problems", async () => {
    const failure = await preview({
      "daytona-edge:domain": "Sandbox.example.net",
      "daytona-edge:egress": { allow: ["http://api.github.com/*"] },
      "daytona-edge:colour": "blue",
    }).catch((error: unknown) => String(error));
    expect(failure).toContain("Pulumi.local.yaml: 3 problems");
    expect(failure).toContain("daytona-edge:domain");
    expect(failure).toContain('write "https://api.github.com/*"');
    expect(failure).toContain("daytona-edge:colour");
    expect(failure).not.toContain("at program");
  });

  test("an empty allow list is a plan too: nothing goes out", async () => {
    const { changes } = await preview({ "daytona-edge:egress": { allow: [] } });
    expect(changes).toEqual({ create: 17 });
  });
});
