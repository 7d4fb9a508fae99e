/**
 * The client's example Worker, in real workerd, against the running edge.
 *
 * @module-tag edge
 */
import { build } from "esbuild";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { signSandboxToken } from "../../client/index.ts";
import { checkout } from "../../scripts/checkout.ts";
import {
  FIRST_SANDBOX,
  type SignedOutputs,
  inLab,
  lab,
  script,
  signedOutputs,
} from "./lab.ts";

let directory: string;
let outputs: SignedOutputs;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "daytona-edge-worker-"));
  outputs = await signedOutputs();
  await build({
    entryPoints: [join(checkout, "client/example/worker.ts")],
    // The package is made of this.
    alias: { "daytona-edge/client": join(checkout, "client/index.ts") },
    bundle: true,
    format: "esm",
    target: "es2024",
    outfile: join(directory, "worker.mjs"),
    logLevel: "warning",
  });
});
afterAll(async () => {
  await rm(directory, { recursive: true });
});

/** Asks the Worker as a user of LumiLink's would. */
async function ask(kind: "json" | "sse" | "socket", path: string) {
  const { stdout, stderr } = await inLab(
    [
      process.execPath,
      join(import.meta.dirname, "fixtures/worker.ts"),
      join(directory, "worker.mjs"),
      kind,
      path,
    ],
    { input: JSON.stringify(outputs) },
  );
  const line = stdout.split("\n").at(-1) ?? "";
  if (!line.startsWith("{")) throw new Error(stdout + stderr);
  return JSON.parse(line) as {
    status: number;
    body: unknown;
    events: number[];
    echoes: string[];
  };
}

test("a JSON call", async () => {
  const answer = await ask("json", `/sandboxes/${FIRST_SANDBOX}/answer`);
  expect(answer).toMatchObject({
    status: 200,
    body: {
      method: "POST",
      url: "/headers",
      headers: { "content-type": "application/json", "content-length": "19" },
    },
  });
  expect(JSON.stringify(answer)).not.toContain("x-sandbox-token");
});

test("a chat that streams, event by event", async () => {
  const { status, events } = await ask(
    "sse",
    `/sandboxes/${FIRST_SANDBOX}/chat`,
  );
  expect(status).toBe(200);
  expect(events).toHaveLength(4);
  // 300 ms apart at the application: not all at its end. The first may come
  // late, so that less is between it and the last.
  expect(events.at(-1)).toBeGreaterThan(100);
});

test("a WebSocket, both ways", async () => {
  expect(await ask("socket", `/sandboxes/${FIRST_SANDBOX}/socket`)).toEqual({
    status: 101,
    echoes: ["message 0", "message 1", "message 2"],
  });
});

test("an expired token is said to be one", async () => {
  const token = await signSandboxToken(outputs.access.key, {
    sandbox: FIRST_SANDBOX,
    ports: 3000,
    issuedAt: Math.floor(Date.now() / 1000) - 3600,
  });
  const path = `/sandboxes/${FIRST_SANDBOX}/answer?token=${token}`;
  const expired = { code: "token_expired" };
  expect(await ask("json", path)).toMatchObject({ status: 502, body: expired });
  const socket = await ask("socket", path.replace("answer", "socket"));
  expect(socket.status).toBe(502);
  expect(JSON.parse(String(socket.body))).toMatchObject(expired);
});

test("a sandbox that was revoked opens to no older token", async () => {
  const sandbox = (await lab(["sandbox", "add"])).stdout.trim();
  try {
    const token = await signSandboxToken(outputs.access.key, {
      sandbox,
      ports: 3000,
    });
    const path = `/sandboxes/${sandbox}/answer?token=${token}`;
    expect(await ask("json", path)).toMatchObject({ status: 200 });
    expect((await script("sandbox.ts", ["revoke", sandbox])).exitCode).toBe(0);
    expect(await ask("json", path)).toMatchObject({
      status: 502,
      body: { code: "token_revoked" },
    });
  } finally {
    await script("sandbox.ts", ["restore", sandbox]);
    await lab(["sandbox", "remove", sandbox]);
  }
});
