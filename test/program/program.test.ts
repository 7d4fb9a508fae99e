/** The project's own program under the real engine, with no lab behind it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import program from "../../infra/index.ts";
import { type StackName, labStackFile } from "../../scripts/stack.ts";
import { openStack } from "../../scripts/toolchain/stack.ts";
import { sshKey } from "../ssh-key.ts";

/** What of a lab's secrets stands in its stack file. */
const lab = { host: { public: `ssh-ed25519 ${"A".repeat(68)}` } };

const key = sshKey().private;

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

interface Host {
  readonly runners?: readonly object[];
}

/** Servers that nobody reaches: a preview asks them, and goes on without. */
function nowhere({ runners, ...host }: Host) {
  const at = (address: string) => ({ address, port: 1 });
  return {
    ...{ ...host, ...at("127.0.0.1") },
    ...(runners && {
      runners: runners.map((runner) => ({ ...runner, ...at("127.0.0.2") })),
    }),
  };
}

/** Previews the program with the lab's configuration, changed. */
async function preview(
  change: Record<string, unknown> = {},
  stackName: StackName = "local",
) {
  const { config: file } = labStackFile(stackName, lab);
  const config = {
    ...file,
    "daytona-edge:host": nowhere(file["daytona-edge:host"] as Host),
    "cloudflare:apiToken": "not-used-by-a-preview".padEnd(40, "-"),
    "daytona-edge:sshPrivateKey": key,
    ...(stackName === "local" && {
      "daytona-edge:credentials": { openrouter: "sk-or-v1-0123456789" },
    }),
    ...change,
  };
  writeFileSync(
    join(workDir, `Pulumi.${stackName}.yaml`),
    stringify({ config }),
  );
  await using stack = await openStack({
    stackName,
    workDir,
    program: async () => ({ ...(await program()) }),
  });
  return await stack.preview();
}

describe("the program", () => {
  test("plans every part of the system, and does nothing", async () => {
    const { changes } = await preview();
    // The stack, 18 components, 14 commands, 2 files, 6 records.
    expect(changes).toEqual({ create: 41 });
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

  test.each(["http://cloudflare.internal/client/v4", "cloudflare.internal"])(
    "Cloudflare's token goes to no %s",
    async (baseUrl) => {
      const failure = await preview({ "cloudflare:baseUrl": baseUrl }).catch(
        (error: unknown) => String(error),
      );
      expect(failure).toContain("Pulumi.local.yaml: 1 problem\n");
      expect(failure).toContain(
        `  cloudflare:baseUrl  "${baseUrl}" is not an https URL, and Cloudflare's token goes there; write one such as https://api.cloudflare.com/client/v4, or remove it`,
      );
    },
  );

  test("a key that was pasted is refused, and not shown", async () => {
    const pasted = key.replaceAll("\n", " ");
    const failure = await preview({
      "daytona-edge:sshPrivateKey": pasted,
    }).catch((error: unknown) => String(error));
    expect(failure).toContain("Pulumi.local.yaml: 1 problem\n");
    expect(failure).toContain("daytona-edge:sshPrivateKey  is not a whole");
    expect(failure).not.toContain(pasted);
  });

  test("without a token for Cloudflare the fix is said", async () => {
    const failure = await preview({ "cloudflare:apiToken": undefined }).catch(
      (error: unknown) => String(error),
    );
    expect(failure).toContain("pulumi config set --secret cloudflare:apiToken");
  });

  test("a secret that a rule names must be there, and is never shown", async () => {
    const credential = {
      header: "Authorization",
      scheme: "Bearer",
      secret: "openrouter",
    };
    const egress = {
      allow: [
        { url: "https://openrouter.ai/api/v1/*", credential },
        { url: "https://openrouter.ai/api/v2/*", credential },
      ],
    };
    const set = (credentials: Record<string, string>) =>
      preview({
        "daytona-edge:egress": egress,
        "daytona-edge:credentials": credentials,
      });
    const failure = await set({ Other: "sk-or-v1-0123456789" }).catch(
      (error: unknown) => String(error),
    );
    expect(failure).toContain("daytona-edge:credentials.Other");
    expect(failure).not.toContain("sk-or");
    const missing = await set({}).catch((error: unknown) => String(error));
    expect(missing).toContain("egress.allow[0].credential.secret");
    expect(missing).toContain("egress.allow[1].credential.secret");
    expect(missing).toContain("--path daytona-edge:credentials.openrouter");
    const { changes } = await set({ openrouter: "sk-or-v1-0123456789" });
    expect(changes).toEqual({ create: 41 });
  });

  test("a stack with the road in only, guarded by signed tokens", async () => {
    const { changes } = await preview({}, "signed");
    // The stack, 14 components, 10 commands, a file, 2 keys, 6 records.
    expect(changes).toEqual({ create: 34 });
    const rotated = await preview(
      { "daytona-edge:accessKeyGeneration": 2 },
      "signed",
    );
    // And the key before.
    expect(rotated.changes).toEqual({ create: 35 });
  });

  test("an empty allow list is a plan too: nothing goes out", async () => {
    const { changes } = await preview({ "daytona-edge:egress": { allow: [] } });
    expect(changes).toEqual({ create: 41 });
  });
});
