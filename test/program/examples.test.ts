/** The stack files of examples/ under the real engine, with no server behind them. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ssh2 from "ssh2";
import { afterEach, beforeEach, expect, test } from "vitest";
import { stringify } from "yaml";
import program from "../../infra/index.ts";
import { checkout } from "../../scripts/checkout.ts";
import { openStack } from "../../scripts/toolchain/stack.ts";
import { type Example, filledExample } from "../e2e/host/example.ts";

const hostKey = `ssh-ed25519 ${"A".repeat(68)}`;

let workDir: string;
beforeEach(() => {
  workDir = mkdtempSync(join(tmpdir(), "daytona-edge-example-"));
  writeFileSync(
    join(workDir, "Pulumi.yaml"),
    "name: daytona-edge\nruntime: nodejs\n",
  );
});
afterEach(() => {
  rmSync(workDir, { recursive: true });
});

/** Names of what an up would make, on servers that nobody reaches. */
async function planned(example: Example): Promise<string[]> {
  const { config } = filledExample(example, {
    domain: "sandbox.example.net",
    cloudflare: { zoneId: "3f1d7cfa3c1c4e6fb0c0a1b1f1d2e3a4" },
    servers: ["127.0.0.1", "127.0.0.2"].map((address) => ({
      ...{ address, port: 1, hostKey },
    })),
  });
  const secrets = {
    "cloudflare:apiToken": "not-used-by-a-preview".padEnd(40, "-"),
    "daytona-edge:sshPrivateKey":
      ssh2.utils.generateKeyPairSync("ed25519").private,
  };
  writeFileSync(
    join(workDir, `Pulumi.${example}.yaml`),
    stringify({ config: { ...config, ...secrets } }),
  );
  await using stack = await openStack({
    stackName: example,
    workDir,
    program: async () => ({ ...(await program()) }),
  });
  return Object.keys((await stack.preview()).touched);
}

const installs = (names: readonly string[]) =>
  names.filter((name) => name.endsWith("-install")).toSorted();

test("the proxy VM: nothing is planned for Daytona's server", async () => {
  const names = await planned("proxy-vm");
  const page = readFileSync(join(checkout, "docs/host.md"), "utf8");
  expect(page).toContain(`\n    + ${String(names.length)} created\n`);
  expect(installs(names)).toEqual([
    "host-certificate-install",
    "host-edge-install",
    "host-firewall-127.0.0.1-install",
  ]);
});

test("with egress: the gateway and its firewall are Daytona's server's", async () => {
  expect(installs(await planned("proxy-vm-egress"))).toEqual([
    "host-certificate-install",
    "host-edge-install",
    "host-firewall-127.0.0.1-install",
    "host-firewall-127.0.0.2-install",
    "host-gateway-127.0.0.2-install",
  ]);
});

test("one server has all of it", async () => {
  expect(installs(await planned("one-server"))).toEqual([
    "host-certificate-install",
    "host-edge-install",
    "host-firewall-127.0.0.1-install",
    "host-gateway-127.0.0.1-install",
  ]);
});
