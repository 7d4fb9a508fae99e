/** How a script gets onto a server by the plugin, which has one line and one standard input. */
import * as pulumi from "@pulumi/pulumi";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import {
  remoteCommand,
  scriptLines,
} from "../../../infra/platforms/host/remote-command.ts";
import { bootPatience } from "../../../infra/platforms/host/server.ts";

const server = {
  address: "203.0.113.10",
  port: 22,
  user: "root",
  hostKey: `ssh-ed25519 ${"A".repeat(68)}`,
};
const quoting = `printf '%s;' "it's" "\\$HOME \\n"`;
const { lines, sent } = scriptLines([
  { name: "create", text: `${quoting}\ncat\n` },
  { name: "delete", text: "exec cat" },
]);

describe.each(["dash", "bash"])("a login shell, %s", (shell) => {
  const run = (index: number, input: string) =>
    execa(shell, ["-c", lines[index] ?? ""], { input, reject: false });

  test("runs the script that is meant, which reads what is behind all", async () => {
    const input = `${sent}first\n\nlast`;
    expect((await run(0, input)).stdout).toBe("it's;$HOME \\n;first\n\nlast");
    expect((await run(1, input)).stdout).toBe("first\n\nlast");
  });

  test("runs nothing of a script that came in part", async () => {
    const { lines, sent } = scriptLines([
      { name: "create", text: "echo begun\nexit 0\n" },
    ]);
    const { stdout, exitCode } = await execa(shell, ["-c", lines[0] ?? ""], {
      ...{ input: sent.slice(0, 16), reject: false },
    });
    expect(stdout).toBe("");
    expect(exitCode).not.toBe(0);
  });
});

test("the line is short, so that an error begins with its cause", () => {
  const args = remoteCommand({
    login: { server: { ...server, user: "admin" }, privateKey: undefined },
    create: { script: "unpack-and-install", environment: { REPAIR: "word" } },
    delete: { script: "remove-bundle", environment: { BUNDLE: "edge" } },
  });
  for (const line of [args.create, args.delete]) {
    expect(line).toMatch(/^.{1,120}$/);
  }
  expect(args.create).toContain("unpack-and-install");
});

test("a secret that a script reads stays one", async () => {
  const { stdin } = remoteCommand({
    login: { server, privateKey: undefined },
    create: { script: "write-state" },
    input: pulumi.secret("hunter2"),
  });
  expect(await pulumi.isSecret(pulumi.output(stdin))).toBe(true);
});

test("no warning of variables that sshd does not take", () => {
  const { addPreviousOutputInEnv } = remoteCommand({
    login: { server, privateKey: undefined },
    create: { script: "wait-healthy" },
  });
  expect(addPreviousOutputInEnv).toBe(false);
});

test("a server that boots has a minute: the plugin's pauses add up to it", () => {
  const { connection } = remoteCommand({
    login: { server, privateKey: undefined },
    create: { script: "wait-healthy" },
  });
  const { dialErrorLimit } = connection as { dialErrorLimit: number };
  let pause = 100;
  let waited = 0;
  for (let dials = 1; dials < dialErrorLimit; dials++) {
    waited += pause;
    pause = Math.min(pause * 1.5, 5_000);
  }
  expect(waited).toBeGreaterThan(bootPatience * 0.9);
  expect(waited).toBeLessThan(bootPatience * 1.5);
});
