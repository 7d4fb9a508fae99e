import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { edgeBundle } from "../../../infra/edge/bundle.ts";
import { limitsSchema } from "../../../infra/edge/limits.ts";
import type { Bundle } from "../../../infra/machine/bundle.ts";
import { awsUserData } from "../../../infra/platforms/aws/machine/user-data.ts";
import { bundleTarball } from "../../../infra/machine/tarball.ts";

const directory = mkdtempSync(join(tmpdir(), "daytona-edge-tarball-"));
afterAll(() => {
  rmSync(directory, { recursive: true });
});

const bundle: Bundle = {
  name: "edge",
  packages: ["haproxy"],
  files: [
    { path: "/etc/x/env", content: "A=1\n", mode: 0o600 },
    { path: "/usr/local/lib/x/run.sh", content: "#!/bin/sh\n", mode: 0o755 },
  ],
  units: ["x.service"],
  check: "/usr/local/lib/x/run.sh",
  ports: [],
};

const edge = edgeBundle({
  domain: "sandbox.daytona.example.net",
  access: "daytona",
  upstream: { mode: "daytona", url: "http://10.0.0.5:4000" },
  toolbox: false,
  deniedPorts: [2280],
  limits: limitsSchema.parse({}),
});

test("the same content is the same bytes, at any time", async () => {
  const first = await bundleTarball(bundle);
  await new Promise((resolve) => setTimeout(resolve, 1100));
  expect(Buffer.from(await bundleTarball(bundle))).toEqual(Buffer.from(first));
});

test("other content is other bytes", async () => {
  const [env, script] = bundle.files;
  const other = { ...bundle, files: [{ ...env, content: "A=2\n" }, script] };
  expect(Buffer.from(await bundleTarball(other as Bundle))).not.toEqual(
    Buffer.from(await bundleTarball(bundle)),
  );
});

test("tar unpacks it to the files, their modes as text", async () => {
  writeFileSync(join(directory, "b.tar.gz"), await bundleTarball(bundle));
  execFileSync("tar", ["-xzf", "b.tar.gz"], { cwd: directory });
  const read = (path: string) => readFileSync(join(directory, path), "utf8");
  expect(read("bundle/root/etc/x/env")).toBe("A=1\n");
  expect(read("bundle/modes")).toBe(
    "600 /etc/x/env\n755 /usr/local/lib/x/run.sh\n",
  );
  expect(read("install.sh")).toMatch(/^#!\/bin\/sh\n/);
});

test("user data fits EC2's 16 KiB, and names the very bundle", async () => {
  const tarball = await bundleTarball(edge);
  const sha256 = createHash("sha256").update(tarball).digest("hex");
  const userData = awsUserData({
    region: "eu-central-1",
    bucket: "bundles",
    key: "edge.tar.gz",
    sha256,
    publicAddresses: [],
    sessionManager: undefined,
  });
  expect(userData).toMatch(/^#cloud-config\n/);
  expect(userData.length).toBeLessThan(16 * 1024);
  expect(userData).toContain(sha256);
});

test("no secret is in a bundle", () => {
  const text = edge.files.map((file) => String(file.content)).join("\n");
  expect(text).not.toMatch(/PRIVATE KEY-----\n[A-Za-z0-9+/]/);
});
