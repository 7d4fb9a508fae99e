/** Stand-in providers under the real engine: what a user of Pulumi relies on. */
import * as cloudflare from "@pulumi/cloudflare";
import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import {
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openStack } from "../../scripts/toolchain/stack.ts";
import { type CloudflareServer, startCloudflare } from "./cloudflare-server.ts";

let workDir: string;
beforeEach(() => {
  workDir = mkdtempSync(join(tmpdir(), "daytona-edge-providers-"));
  writeFileSync(
    join(workDir, "Pulumi.yaml"),
    "name: daytona-edge\nruntime: nodejs\n",
  );
});
afterEach(() => {
  rmSync(workDir, { recursive: true });
});

type Program = () => Record<string, unknown>;

function open(program: Program) {
  return openStack({
    stackName: "t",
    workDir,
    program: () => Promise.resolve(program()),
  });
}

/** Everything that the engine keeps on disk. */
function stateText(): string {
  const stacks = join(workDir, "state/.pulumi/stacks");
  return readdirSync(stacks, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"))
    .join("");
}

describe("command", () => {
  const log = () => readFileSync(join(workDir, "log"), "utf8");
  const program =
    (say: string, trigger: string): Program =>
    () => {
      const say_ = new command.local.Command("say", {
        dir: workDir,
        create: "echo create $SAY | tee -a log; cat >>log",
        update: "echo update $SAY after $PULUMI_COMMAND_STDOUT | tee -a log",
        delete: "echo delete $SAY >>log",
        environment: { SAY: say },
        stdin: "from stdin\n",
        triggers: [trigger],
      });
      return { stdout: say_.stdout };
    };

  test("creates, stays, updates in place, replaces on a trigger, deletes", async () => {
    let current = program("one", "a");
    await using stack = await open(() => current());
    expect((await stack.up()).changed).toBe(true);
    expect(await stack.outputs()).toEqual({ stdout: "create one" });
    expect((await stack.up()).changed).toBe(false);

    current = program("two", "a");
    expect((await stack.preview()).changes).toMatchObject({ update: 1 });
    await stack.up();
    current = program("two", "b");
    expect((await stack.preview()).changes).toMatchObject({ replace: 1 });
    await stack.up();
    await stack.destroy();
    expect(log().trim().split("\n")).toEqual([
      "create one",
      "from stdin",
      "update two after create one",
      "create two",
      "from stdin",
      "delete two",
      "delete two",
    ]);
  });

  test("a preview runs nothing and knows no outputs", async () => {
    await using stack = await open(program("one", "a"));
    await stack.preview();
    expect(log).toThrow("ENOENT");
  });

  test("a failure shows the command, its exit code and its words", async () => {
    await using stack = await open(() => {
      new command.local.Command("fail", {
        create: "echo the disk is full >&2; exit 3",
      });
      return {};
    });
    const failure = await stack.up().catch((error: unknown) => String(error));
    expect(failure).toContain(
      'exit status 3: running "echo the disk is full >&2; exit 3":',
    );
    expect(failure).toContain("the disk is full");
  });

  // The plugin carries it to outputs of the same name only.
  test("a secret input stays secret in the state, and what is said of it where the program asks", async () => {
    await using stack = await open(() => {
      const secret = pulumi.secret("hunter2");
      const echo = new command.local.Command(
        "echo",
        { create: "echo $SECRET", environment: { SECRET: secret } },
        { additionalSecretOutputs: ["stdout"] },
      );
      const length = new command.local.Command("length", {
        create: "printf %s $SECRET | wc -c",
        environment: { SECRET: secret },
      });
      return { stdout: echo.stdout, length: length.stdout };
    });
    await stack.up();
    expect(await stack.outputs()).toEqual({ stdout: "[secret]", length: "7" });
    expect(await stack.outputs({ showSecrets: true })).toMatchObject({
      stdout: "hunter2",
    });
    expect(stateText()).not.toContain("hunter2");
    expect((await stack.up()).changed).toBe(false);
  });
});

describe("command on a server", () => {
  const remote =
    (args: Omit<command.remote.CommandArgs, "connection">): Program =>
    () => {
      new command.remote.Command("r", {
        connection: {
          ...{ host: "127.0.0.1", port: 1, dialErrorLimit: 2 },
          hostKey: `ssh-ed25519 ${"A".repeat(68)}`,
        },
        ...args,
      });
      return {};
    };
  const failure = async (args: Parameters<typeof remote>[0]) => {
    await using stack = await open(remote(args));
    return await stack.up().catch((error: unknown) => String(error));
  };

  test("it is given up after as many attempts as the program says", async () => {
    expect(await failure({ create: "true" })).toMatch(
      /after 2 failed attempts: .*Connection refused/s,
    );
  });

  test("an environment, which sshd does not take, is refused", async () => {
    expect(
      await failure({ create: "true", environment: { NAME: "value" } }),
    ).toContain("sshd takes no environment");
  });
});

describe("random", () => {
  test("a password keeps its value, and is secret", async () => {
    await using stack = await open(() => {
      const password = new random.RandomPassword("p", {
        length: 40,
        special: false,
      });
      return { password: password.result };
    });
    await stack.up();
    expect(await stack.outputs()).toEqual({ password: "[secret]" });
    const { password } = await stack.outputs({ showSecrets: true });
    expect(password).toMatch(/^[A-Za-z0-9]{40}$/);
    await stack.up();
    expect(await stack.outputs({ showSecrets: true })).toEqual({ password });
    expect(stateText()).not.toContain(String(password));
  });
});

describe("cloudflare", () => {
  const zoneId = "0".repeat(32);
  let records: CloudflareServer["records"];
  let server: CloudflareServer;

  beforeEach(async () => {
    server = await startCloudflare("example.net", workDir);
    ({ records } = server);
  });
  afterEach(() => {
    server.stop();
  });

  const record =
    (content: string): Program =>
    () => {
      new cloudflare.DnsRecord("r", {
        zoneId,
        name: "*.sandbox.example.net",
        type: "A",
        content,
        ttl: 300,
        proxied: false,
      });
      return {};
    };

  test("a record is made, changed in place, and taken away", async () => {
    let current = record("192.0.2.1");
    await using stack = await open(() => current());
    await stack.up();
    const [made] = records.list();
    expect(made).toMatchObject({ content: "192.0.2.1", ttl: 300 });
    expect((await stack.up()).changed).toBe(false);

    current = record("192.0.2.2");
    await stack.up();
    expect(records.list()).toMatchObject([
      { id: made?.id, content: "192.0.2.2" },
    ]);
    await stack.destroy();
    expect(records.list()).toEqual([]);
  });

  test("Cloudflare's own words and code reach the user", async () => {
    records.create({
      type: "A",
      name: "*.sandbox.example.net",
      content: "192.0.2.1",
      ttl: 300,
    });
    await using stack = await open(record("192.0.2.1"));
    const failure = await stack.up().catch((error: unknown) => String(error));
    expect(failure).toMatch(
      /"code":81058,"message":"An identical record already exists\."/,
    );
  });

  test("a wrong token is named as such", async () => {
    process.env.CLOUDFLARE_API_TOKEN = "wrong";
    await using stack = await open(record("192.0.2.1"));
    const failure = await stack.up().catch((error: unknown) => String(error));
    expect(failure).toMatch(
      /403 Forbidden .*"code":10000,"message":"Authentication error"/,
    );
  });

  test("what somebody changed at Cloudflare a refresh sees, and an update puts back", async () => {
    const program = record("192.0.2.1");
    await using stack = await open(program);
    await stack.up();
    const [made] = records.list();
    records.change(made?.id ?? "", { content: "192.0.2.9", proxied: true });
    expect((await stack.preview()).changed).toBe(false);
    await stack.refresh();
    expect((await stack.preview()).changes).toMatchObject({ update: 1 });
    await stack.up();
    expect(records.list()).toMatchObject([
      { id: made?.id, content: "192.0.2.1", proxied: false },
    ]);
  });

  test("a record of another type is another record", async () => {
    let type = "A";
    await using stack = await open(() => {
      const content = type === "A" ? "192.0.2.1" : "2001:db8::1";
      new cloudflare.DnsRecord("r", {
        ...{ zoneId, name: "x.example.net", type, content, ttl: 300 },
      });
      return {};
    });
    await stack.up();
    type = "AAAA";
    expect((await stack.preview()).changes).toMatchObject({ replace: 1 });
  });

  test("a proxied record with a TTL fails when it is made, not in a preview", async () => {
    await using stack = await open(() => {
      new cloudflare.DnsRecord("r", {
        zoneId,
        name: "x.example.net",
        type: "A",
        content: "192.0.2.1",
        ttl: 300,
        proxied: true,
      });
      return {};
    });
    await stack.preview();
    const failure = await stack.up().catch((error: unknown) => String(error));
    expect(failure).toContain("ttl must be set to 1");
  });
});
