/** What stops an update before anything is planned, and what is waited for. */
import * as pulumi from "@pulumi/pulumi";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { lookBeforeInstall } from "../../../infra/platforms/host/look.ts";
import type { Look } from "../../../infra/platforms/host/pieces.ts";

const server = {
  address: "203.0.113.10",
  port: 22,
  user: "root",
  hostKey: `ssh-ed25519 ${"A".repeat(68)}`,
};
let slept: number;
const ask = vi.fn<() => Promise<Look>>();
const look = () =>
  lookBeforeInstall(server, "a key", {
    look: ask,
    wait: (ms) => {
      slept += ms;
      vi.setSystemTime(Date.now() + ms);
      return Promise.resolve();
    },
  });

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "daytona-edge-agent-"));
  ask.mockReset();
  slept = 0;
  vi.useFakeTimers({ toFake: ["Date"] });
  vi.stubEnv("SSH_AUTH_SOCK", "");
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true });
});

test("a server that boots is asked for a minute", async () => {
  ask.mockImplementation(() => {
    if (slept < 50_000) {
      return Promise.reject(new Error("connect ECONNREFUSED"));
    }
    return Promise.resolve({ edge: { repair: "word", changes: [] } });
  });
  expect(await look()).toMatchObject({ edge: { repair: "word" } });
});

test("one that never answers is given up, with the reason", async () => {
  ask.mockRejectedValue(new Error("connect ECONNREFUSED"));
  await expect(look()).rejects.toThrow("connect ECONNREFUSED");
  expect(slept).toBeGreaterThanOrEqual(60_000);
});

test.each([
  "its host key is another",
  "root may not log in with this key",
  "Cannot parse privateKey: Unsupported key format",
])("%s: at once", async (reason) => {
  ask.mockRejectedValue(new Error(reason));
  await expect(look()).rejects.toThrow(reason);
  expect(slept).toBe(0);
});

test.each([
  ["is gone", () => undefined],
  [
    "is a file",
    (path: string) => {
      writeFileSync(path, "");
    },
  ],
])("an SSH agent whose socket %s is named first", async (_, make) => {
  const path = join(directory, "agent.sock");
  make(path);
  vi.stubEnv("SSH_AUTH_SOCK", path);
  const failure = await look().catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(pulumi.RunError);
  expect(String(failure)).toContain(`no SSH agent answers at ${path}`);
  expect(String(failure)).toContain("type: unset SSH_AUTH_SOCK");
  expect(ask).not.toHaveBeenCalled();
});

test("an SSH agent that answers is no problem", async () => {
  const path = join(directory, "agent.sock");
  const agent = createServer();
  await new Promise<void>((resolve) => agent.listen(path, resolve));
  vi.stubEnv("SSH_AUTH_SOCK", path);
  ask.mockResolvedValue({});
  try {
    expect(await look()).toEqual({});
  } finally {
    agent.close();
  }
});
