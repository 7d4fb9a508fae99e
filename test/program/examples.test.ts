/** The stack files of examples/ under the real engine, with no server behind them. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { stringify } from "yaml";
import program from "../../infra/index.ts";
import { checkout } from "../../scripts/checkout.ts";
import { openStack } from "../../scripts/toolchain/stack.ts";
import { type Example, filledExample } from "../e2e/host/example.ts";
import { sshKey } from "../ssh-key.ts";

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

/** What an up would make, on servers that nobody reaches. */
async function planned(example: Example) {
  const { config } = filledExample(example, {
    domain: "sandbox.example.net",
    cloudflare: { zoneId: "3f1d7cfa3c1c4e6fb0c0a1b1f1d2e3a4" },
    servers: ["127.0.0.1", "127.0.0.2"].map((address) => ({
      ...{ address, port: 1, hostKey },
    })),
  });
  const secrets = {
    "cloudflare:apiToken": "not-used-by-a-preview".padEnd(40, "-"),
    "daytona-edge:sshPrivateKey": sshKey().private,
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
  const { touched, changes } = await stack.preview();
  const installs = Object.keys(touched)
    .filter((name) => name.endsWith("-install"))
    .toSorted();
  return { installs, changes };
}

test("the proxy VM: nothing is planned for Daytona's server", async () => {
  const { installs, changes } = await planned("proxy-vm");
  const page = readFileSync(join(checkout, "docs/host.md"), "utf8");
  expect(page).toContain(`\n    + ${String(changes.create)} created\n`);
  expect(installs).toEqual([
    "host-base-system-127.0.0.1-install",
    "host-certificate-install",
    "host-edge-install",
    "host-firewall-127.0.0.1-install",
  ]);
});

test("with egress: the gateway and its firewall are Daytona's server's", async () => {
  const { installs } = await planned("proxy-vm-egress");
  expect(installs).toEqual([
    "host-base-system-127.0.0.1-install",
    "host-base-system-127.0.0.2-install",
    "host-certificate-install",
    "host-edge-install",
    "host-firewall-127.0.0.1-install",
    "host-firewall-127.0.0.2-install",
    "host-gateway-127.0.0.2-install",
  ]);
});

test("one server has all of it", async () => {
  const { installs } = await planned("one-server");
  expect(installs).toEqual([
    "host-base-system-127.0.0.1-install",
    "host-certificate-install",
    "host-edge-install",
    "host-firewall-127.0.0.1-install",
    "host-gateway-127.0.0.1-install",
  ]);
});
