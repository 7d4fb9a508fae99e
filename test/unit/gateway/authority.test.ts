import { X509Certificate } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, statSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { createEgressCa } from "../../../infra/certificate/egress-ca.ts";
import { ensureAuthority } from "../../../infra/gateway/authority.ts";
import { mostNameBytes } from "../../../infra/gateway/rules.ts";
import { temporaryDirectory } from "../temporary.ts";

const day = 86_400_000;
const now = new Date("2026-03-01T00:00:00Z");
const later = (days: number) => new Date(now.getTime() + days * day);

let directory: string;
beforeEach(async () => {
  directory = await temporaryDirectory();
  mkdirSync(join(directory, "leaves"));
});

const ensure = (hosts: string[], at = now) =>
  ensureAuthority({ directory, hosts, now: at });
const certificate = (file: string) =>
  new X509Certificate(readFileSync(join(directory, file)));
const leaves = () => readdirSync(join(directory, "leaves")).sort();

test("each inspected host gets a leaf that the served authority signed", async () => {
  expect(await ensure(["openrouter.ai", "api.github.com"])).toBe(true);
  expect(leaves()).toEqual(["api.github.com.pem", "openrouter.ai.pem"]);
  const ca = certificate("ca.pem");
  const leaf = certificate("leaves/openrouter.ai.pem");
  expect(leaf.verify(ca.publicKey)).toBe(true);
  expect(leaf.checkHost("openrouter.ai")).toBe("openrouter.ai");
  expect(leaf.checkHost("api.github.com")).toBeUndefined();
});

test("only the certificate of the authority can be read by others", async () => {
  await ensure(["openrouter.ai"]);
  const mode = (file: string) => statSync(join(directory, file)).mode & 0o777;
  expect(mode("ca.pem")).toBe(0o644);
  expect(mode("ca-and-key.pem")).toBe(0o600);
  expect(mode("leaves/openrouter.ai.pem")).toBe(0o600);
  expect(readFileSync(join(directory, "ca.pem"), "utf8")).not.toContain("KEY");
});

test("HAProxy can serve the certificate with as many names as rules may have", async () => {
  // The shortest names take the most beside themselves.
  const names = Array.from(
    { length: Math.floor(mostNameBytes / 10) },
    (_, index) => `${index.toString(36).padStart(3, "0")}.ai`,
  );
  const ca = await createEgressCa({ names, notBefore: now, days: 365 });
  // tune.bufsize as HAProxy comes.
  expect(ca.certificate.length).toBeLessThan(16_384);
});

test("nothing changes as long as nothing has to", async () => {
  await ensure(["openrouter.ai"]);
  expect(await ensure(["openrouter.ai"], later(10))).toBe(false);
});

test("a leaf is renewed alone, the authority with all its leaves", async () => {
  await ensure(["openrouter.ai"]);
  const ca = certificate("ca.pem").fingerprint256;
  expect(await ensure(["openrouter.ai"], later(21))).toBe(true);
  expect(certificate("ca.pem").fingerprint256).toBe(ca);
  expect(await ensure(["openrouter.ai"], later(250))).toBe(true);
  expect(certificate("ca.pem").fingerprint256).not.toBe(ca);
  expect(
    certificate("leaves/openrouter.ai.pem").verify(
      certificate("ca.pem").publicKey,
    ),
  ).toBe(true);
});

test("another host takes nothing from who trusts the authority before", async () => {
  await ensure(["openrouter.ai"]);
  const before = certificate("ca.pem");
  const leaf = certificate("leaves/openrouter.ai.pem").fingerprint256;
  expect(await ensure(["openrouter.ai", "api.github.com"])).toBe(true);
  expect(certificate("ca.pem").fingerprint256).not.toBe(before.fingerprint256);
  expect(certificate("leaves/openrouter.ai.pem").fingerprint256).toBe(leaf);
  await ensure(["openrouter.ai", "api.github.com"], later(250));
  const renewed = certificate("leaves/openrouter.ai.pem");
  expect(renewed.fingerprint256).not.toBe(leaf);
  expect(renewed.checkIssued(before)).toBe(true);
  expect(renewed.verify(before.publicKey)).toBe(true);
});

test("a host that is not inspected any more loses its leaf", async () => {
  await ensure(["openrouter.ai", "api.github.com"]);
  expect(await ensure(["openrouter.ai"])).toBe(true);
  expect(leaves()).toEqual(["openrouter.ai.pem"]);
  expect(await ensure([])).toBe(true);
  expect(leaves()).toEqual([]);
  expect(await ensure([])).toBe(false);
});

test("the placeholder that HAProxy needs to start stays", async () => {
  await writeFile(join(directory, "leaves/placeholder.pem"), "x");
  await ensure([]);
  expect(leaves()).toEqual(["placeholder.pem"]);
});

test("broken files are made anew", async () => {
  await ensure(["openrouter.ai"]);
  await writeFile(join(directory, "leaves/openrouter.ai.pem"), "half a file");
  expect(await ensure(["openrouter.ai"])).toBe(true);
  await writeFile(join(directory, "ca-and-key.pem"), "");
  expect(await ensure(["openrouter.ai"])).toBe(true);
  certificate("leaves/openrouter.ai.pem");
});
