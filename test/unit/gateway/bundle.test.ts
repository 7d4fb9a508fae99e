import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  type GatewayConfig,
  gatewayBundle,
} from "../../../infra/gateway/bundle.ts";
import { gatewayAddress, gatewayName } from "../../../infra/gateway/address.ts";
import { egressLimitsSchema } from "../../../infra/gateway/limits.ts";
import { parseEgressRules } from "../../../infra/gateway/rules.ts";
import { verifyRules } from "../../../infra/gateway/rules-document.ts";
import { sandboxEnv } from "../../../infra/gateway/sandbox-env.ts";

const source = join(import.meta.dirname, "../../../infra/gateway");
const config: GatewayConfig = {
  egressRules: parseEgressRules(["https://openrouter.ai/api/v1/*"]).rules,
  sandboxes: {
    interfaces: ["br-sandbox", "runner0"],
    networks: ["172.20.0.0/16", "172.21.0.0/16"],
  },
  rootServers: [],
  limits: egressLimitsSchema.parse({}),
};
const bundle = gatewayBundle(config);
/** Alone on its machine, behind a balancer. */
const alone = gatewayBundle({
  ...config,
  alone: {
    balancers: ["10.80.0.0/20"],
    drainSeconds: 900,
    logs: { region: "eu-central-1", group: "g" },
    secretsManager: { region: "eu-central-1", prefix: "p/" },
  },
});
const text = (path: string, of = bundle) =>
  Buffer.from(of.files.find((file) => file.path === path)?.content ?? "")
    .toString()
    .trim();

test("the same configuration is the same bundle, byte for byte", () => {
  expect(gatewayBundle(config)).toEqual(bundle);
});

test("the agent takes the rules that the bundle carries", () => {
  const document = text("/var/lib/daytona-edge/store/egress-rules.json");
  expect(verifyRules(document).rules).toEqual(config.egressRules);
});

test("interfaces and networks that are named reach the programs", () => {
  const env = text("/etc/daytona-edge/gateway/env").split("\n");
  expect(env).toContain('SANDBOX_INTERFACES="br-sandbox runner0"');
  expect(env).toContain('SANDBOX_NETWORKS="172.20.0.0/16 172.21.0.0/16"');
});

const limitsOf = (of: typeof bundle) =>
  text("/etc/daytona-edge/gateway/env", of)
    .split("\n")
    .filter((line) => line.startsWith("GATEWAY_SANDBOX_"));

test("where a runner is seen, it gets some times what a sandbox gets", () => {
  expect(limitsOf(bundle)).toEqual([
    "GATEWAY_SANDBOX_HANDSHAKES=1000",
    "GATEWAY_SANDBOX_CONNECTIONS=1000",
    "GATEWAY_SANDBOX_REQUESTS=10000",
    "GATEWAY_SANDBOX_CONCURRENT=1000",
  ]);
  expect(limitsOf(alone)).toEqual([
    "GATEWAY_SANDBOX_HANDSHAKES=5000",
    "GATEWAY_SANDBOX_CONNECTIONS=5000",
    "GATEWAY_SANDBOX_REQUESTS=50000",
    "GATEWAY_SANDBOX_CONCURRENT=5000",
  ]);
});

test("a process without that environment has the same limits", () => {
  const preset = [
    ...text("/etc/daytona-edge/gateway/haproxy.cfg").matchAll(
      /^ {2}presetenv (\w+) (\d+)$/gm,
    ),
  ].map(([, name = "", value = ""]) => `${name}=${value}`);
  expect(preset).toEqual(limitsOf(bundle));
});

test("the resolver has the gateway's name and address from its start", () => {
  expect(text("/etc/daytona-edge/gateway/resolver.conf")).toContain(
    `local-zone: "${gatewayName}." static\n  local-data: "${gatewayName}. 30 IN A ${gatewayAddress}"`,
  );
  const script = text("/etc/daytona-edge/gateway/install-ca.sh");
  expect(script).toContain(
    `fetch http://${gatewayName}/ca.pem 2>/dev/null || fetch http://${gatewayAddress}/ca.pem`,
  );
});

test("the world's roots are checked by DNSSEC, one's own are not signed", () => {
  const roots = "/etc/daytona-edge/gateway/recursor-roots.conf";
  expect(text(roots)).toContain("trust-anchor-file");
  const own = gatewayBundle({
    ...config,
    rootServers: ["198.18.0.2"],
  });
  expect(text(roots, own)).not.toContain("trust-anchor");
  expect(text("/etc/daytona-edge/gateway/root.hints", own)).toContain(
    "A 198.18.0.2",
  );
});

test("who is asked for names, where not the roots", () => {
  const forward = "/etc/daytona-edge/gateway/recursor-forward.conf";
  const given = gatewayBundle({ ...config, forwarders: ["10.0.0.2"] });
  expect(text(forward, given)).toContain("forward-zone:");
  expect(text("/etc/daytona-edge/gateway/forwarders.conf", given)).toBe(
    "forward-addr: 10.0.0.2",
  );
  expect(text(forward)).not.toContain("forward-zone");
});

test("every file that a unit or a script names is in the bundle", () => {
  const paths = [bundle, alone].flatMap(({ files }) =>
    files.map(({ path }) => path),
  );
  const named = readdirSync(source, { recursive: true, encoding: "utf8" })
    .filter((file) => /\.(service|sh|conf|cfg)$/.test(file))
    .flatMap((file) =>
      [
        ...readFileSync(join(source, file), "utf8").matchAll(
          /\/(?:etc|usr\/local\/lib)\/daytona-edge\/[\w./-]+\w/g,
        ),
      ].map(([path]) => path),
    )
    .filter((path) => path !== "/etc/daytona-edge/gateway");
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((path) => !paths.includes(path))).toEqual([]);
});

test("every unit is started, and the wall before the door", () => {
  const files = readdirSync(join(source, "units"));
  expect([...bundle.units].sort()).toEqual(files.sort());
  expect(bundle.units[0]).toBe("daytona-gateway-firewall.service");
});

test("behind a balancer a stop is a drain, with a bound", () => {
  const unit = "/etc/systemd/system/daytona-gateway.service.d/drain.conf";
  expect(text(unit, alone)).toContain("\nKillSignal=SIGUSR1\n");
  expect(text("/etc/daytona-edge/gateway/env", alone)).toContain(
    "\nGATEWAY_DRAIN=900s\n",
  );
  // Elsewhere a stopped gateway lets nothing out from that moment on.
  expect(text(unit)).toBe("");
  expect(text("/etc/daytona-edge/gateway/env")).not.toContain("DRAIN");
});

test("no key is in a bundle", () => {
  for (const { path, content } of bundle.files) {
    if (path.endsWith(".cjs")) continue;
    expect(Buffer.from(content).toString(), path).not.toContain("PRIVATE KEY");
  }
});

test("README's lines for a snapshot are what the outputs promise", () => {
  const readme = readFileSync(join(source, "../../README.md"), "utf8");
  const [, lines = ""] = /```dockerfile\n([^]*?)```/.exec(readme) ?? [];
  const set = [...lines.matchAll(/^ENV (\w+)=(\S+)$/gm)].map(
    ([, name, value]) => [name, value],
  );
  expect(Object.fromEntries(set)).toEqual(sandboxEnv);
  expect(
    lines
      .match(/^COPY (\S+) (\S+)$/m)
      ?.slice(1)
      .reverse()
      .join(""),
  ).toBe(sandboxEnv.NODE_EXTRA_CA_CERTS);
});

test("install-ca.sh sets what the outputs promise", () => {
  const script = text("/etc/daytona-edge/gateway/install-ca.sh");
  const set = [...script.matchAll(/^export (\w+)=/gm)].map(([, name]) => name);
  expect(set.sort()).toEqual(Object.keys(sandboxEnv).sort());
  for (const file of new Set(Object.values(sandboxEnv))) {
    expect(script).toContain(file);
  }
});
