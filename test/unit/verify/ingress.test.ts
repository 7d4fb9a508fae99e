import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ingressProbes } from "../../../scripts/verify/ingress.ts";
import { tryProbe } from "../../../scripts/verify/probe.ts";

const key = { kid: "key-1", secret: "s".repeat(48) };
const target = {
  ...{ domain: "sandbox.test", port: 3000, key, asksStrangers: true },
  sandbox: "83792513-cd9e-428f-99c0-63c63bc7739c",
};
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "daytona-edge-ingress-"));
  vi.stubEnv("PATH", `${directory}:${process.env.PATH ?? ""}`);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true });
});

/** Names of the probes that pass at an edge that answers everything alike. */
async function passed(status: number, text: string): Promise<string[]> {
  const curl = join(directory, "curl");
  const answer = `${text}\n${String(status)}`;
  writeFileSync(curl, `#!/bin/sh\ncat <<'END'\n${answer}\nEND\n`);
  chmodSync(curl, 0o755);
  const results = await Promise.all(ingressProbes(target).map(tryProbe));
  return results.filter(({ ok }) => ok).map(({ name }) => name);
}

test("an edge that lets everything through keeps no refusal", async () => {
  expect(await passed(200, "HTTP/2 200")).toEqual([
    "Test 1 of the request",
    "Daytona's own host order",
  ]);
});

test("an edge that refuses everything alike does not say why", async () => {
  const body = '{"error":{"code":"token_missing","message":"x"}}';
  expect(await passed(401, body)).toEqual([
    "unknown sandbox",
    "signed: no token",
  ]);
});

test("no token is shown", () => {
  const commands = ingressProbes(target).map(({ command }) => command);
  expect(commands.filter((line) => line.includes("$TOKEN"))).toHaveLength(7);
  expect(commands.join("\n")).not.toContain("eyJ");
});

test("without signed access no token is asked for", () => {
  const probes = ingressProbes({ ...target, key: undefined });
  expect(probes.map(({ command }) => command).join()).not.toContain("TOKEN");
  expect(probes).toHaveLength(7);
});

test("where nobody is asked for a token, an unknown sandbox is unreachable", () => {
  const probe = ingressProbes({ ...target, asksStrangers: false }).find(
    ({ name }) => name === "unknown sandbox",
  );
  expect(probe?.expected).toBe("503 sandbox_unreachable");
});
