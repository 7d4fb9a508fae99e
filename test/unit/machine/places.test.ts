/** What static files repeat of infra/machine/places.ts: each port and path, at each place. */
import { readFileSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { expect, test } from "vitest";
import { certificateBundle } from "../../../infra/certificate/bundle.ts";
import { parseConfig } from "../../../infra/config/parse.ts";
import { edgeBundle } from "../../../infra/edge/bundle.ts";
import { gatewayAddress, gatewayName } from "../../../infra/gateway/address.ts";
import { gatewayBundle } from "../../../infra/gateway/bundle.ts";
import { baseSystemBundle } from "../../../infra/machine/base-system/bundle.ts";
import * as places from "../../../infra/machine/places.ts";
import { onAws } from "../../../infra/platforms/aws/machine/bundle.ts";
import { serverFirewallBundle } from "../../../infra/platforms/host/server-firewall.ts";

const checkout = join(import.meta.dirname, "../../..");

interface Line {
  /** As an editor opens it. */
  readonly at: string;
  readonly text: string;
}

const lines = ["infra", "scripts/bench"].flatMap((directory) =>
  readdirSync(join(checkout, directory), {
    recursive: true,
    withFileTypes: true,
  })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .flatMap((path) =>
      readFileSync(path, "utf8")
        .split("\n")
        .map((text, index) => ({
          at: `${relative(checkout, path)}:${String(index + 1)}`,
          text,
        })),
    ),
);
const isProgram = ({ at }: Line) => /\.m?ts:\d+$/.test(at);
const staticLines = lines.filter((line) => !isProgram(line));

/** Every match, as `file:line value`; the first group that matched, if there is one. */
function found(pattern: RegExp, within: readonly Line[] = staticLines) {
  return within.flatMap(({ at, text }) =>
    [...text.matchAll(pattern)].map((match) => ({
      at,
      value: match.slice(1).find((group) => group !== undefined) ?? match[0],
    })),
  );
}

const unexpected = (
  matches: ReturnType<typeof found>,
  isKnown: (value: string) => boolean,
) =>
  matches
    .filter(({ value }) => !isKnown(value))
    .map(({ at, value }) => `${at} ${value}`);

/** Paths of all files that any bundle lays down. */
function bundleFiles(): string[] {
  const { config } = parseConfig({
    domain: "sandbox.daytona.example.net",
    platform: "host",
    host: { address: "10.0.0.5", hostKey: `ssh-ed25519 ${"A".repeat(68)}` },
    cloudflare: { zoneId: "3f1d7cfa3c1c4e6fb0c0a1b1f1d2e3a4" },
    upstream: { mode: "daytona", url: "http://10.0.0.5:4000" },
    egress: { allow: ["https://api.github.com/*"] },
  });
  if (!config?.egress?.gateway) throw new Error("not a configuration");
  const logs = { region: "eu-central-1", group: "g" };
  const secretsManager = { region: "eu-central-1", prefix: "p/" };
  const gateway = { ...config.egress, ...config.egress.gateway };
  const edge = edgeBundle({ ...config, loadBalancers: ["10.0.0.0/8"], logs });
  return [
    onAws(edge, {
      ...{ region: "eu-central-1", servingUnit: "daytona-edge.service" },
      ...{ lifecycleHook: "h", heartbeatSeconds: 480, publicAddress: true },
    }),
    gatewayBundle(gateway),
    gatewayBundle({
      ...gateway,
      alone: { balancers: [], drainSeconds: 900, secretsManager, logs },
    }),
    baseSystemBundle({}),
    certificateBundle({ ...config, cloudflareUrl: undefined }),
    serverFirewallBundle({ openPorts: [], operators: [] }),
  ].flatMap(({ files }) => files.map(({ path }) => path));
}

const ours =
  /\/(?:etc|run|usr\/local\/lib|var\/lib)\/daytona-(?:edge|gateway)(?![\w-])(?:[\w./%-]*\w)?/g;

test("configuration and programs are where a bundle lays them", () => {
  const files = [
    ...bundleFiles(),
    // Made on the machine, of its user data.
    `${places.etc("aws")}/public-addresses`,
  ];
  const paths = found(ours).filter(({ value }) => /^\/(etc|usr)/.test(value));
  expect(paths.length).toBeGreaterThan(80);
  expect(
    unexpected(paths, (path) =>
      files.some((file) => `${file}/`.startsWith(path.replace(/\/?$/, "/"))),
    ),
  ).toEqual([]);
});

test("state and sockets are below the directories of places.ts", () => {
  const below = [places.state, places.run("edge"), places.run("gateway")];
  const paths = found(ours, lines).filter(({ value }) =>
    /^\/(run|var)/.test(value),
  );
  expect(paths.length).toBeGreaterThan(80);
  expect(
    unexpected(paths, (path) =>
      below.some((directory) => `${path}/`.startsWith(`${directory}/`)),
    ),
  ).toEqual([]);
});

test("sockets and files that programs open have these names in static files, too", () => {
  const named = /\$\{(?:places\.)?run\("(edge|gateway)"\)\}(\/[\w.-]+)/g;
  const opened = lines.filter(isProgram).flatMap(({ at, text }) => [
    ...[...text.matchAll(named)].map(([, program, rest]) => ({
      at,
      path: places.run(program as "edge" | "gateway") + String(rest),
    })),
    ...[...text.matchAll(/\/run\/daytona-(edge|gateway)\/[\w.-]+/g)].map(
      ([path]) => ({ at, path }),
    ),
  ]);
  expect(opened.length).toBeGreaterThan(4);
  const own = [
    // Written and read by the edge's agent alone, for HAProxy asks it by HTTP.
    `${places.run("edge")}/status.json`,
  ];
  expect(
    opened
      .filter(({ path }) => !own.includes(path))
      .filter(
        ({ path }) => !staticLines.some(({ text }) => text.includes(path)),
      )
      .map(({ at, path }) => `${at} ${path}`),
  ).toEqual([]);
});

const ports = found(
  /\bbind\s+\S*:(\d+)|\b127\.0\.0\.1[:@](\d+)|\b[ds]port\s+\{?\s*(\d+(?:,\s*\d+)*)/g,
  staticLines.filter(({ at }) => at.startsWith("infra/")),
).flatMap(({ at, value }) =>
  value.split(/,\s*/).map((port) => ({ at, value: port })),
);

test("ports are those of places.ts, or the world's", () => {
  const { healthPort, agentPort, recursorPort } = places;
  const { https, http } = places.otherSitesPorts;
  const known = [
    ...[healthPort, agentPort, recursorPort, https, http],
    ...[53, 80, 443],
  ].map(String);
  expect(unexpected(ports, (port) => known.includes(port))).toEqual([]);
  // Each stands in a file, and so is compared.
  const said = new Set(ports.map(({ value }) => value));
  expect(known.filter((port) => !said.has(port))).toEqual([]);
});

test("the gateway has one address and one name", () => {
  const addresses = found(/\b169\.254\.20\.\d+\b/g);
  const names = found(/(?<!-)\bgateway\.\w+/g).filter(({ at }) =>
    at.startsWith("infra/gateway/"),
  );
  expect(addresses.length).toBeGreaterThan(2);
  expect(unexpected(addresses, (value) => value === gatewayAddress)).toEqual(
    [],
  );
  expect(unexpected(names, (value) => value === gatewayName)).toEqual([]);
});
