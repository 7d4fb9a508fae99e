/** What the configuration becomes on an edge. */
import { expect, test } from "vitest";
import { type EdgeConfig, edgeBundle } from "../../../infra/edge/bundle.ts";
import { parseConfig } from "../../../infra/config/parse.ts";

const environmentOf = (url: string, more: Partial<EdgeConfig> = {}) => {
  const { config } = parseConfig({
    domain: "sandbox.daytona.example.net",
    platform: "host",
    host: { address: "10.0.0.5", hostKey: `ssh-ed25519 ${"A".repeat(68)}` },
    cloudflare: { zoneId: "3f1d7cfa3c1c4e6fb0c0a1b1f1d2e3a4" },
    upstream: { mode: "daytona", url },
  });
  if (!config) throw new Error("not a configuration");
  const env = edgeBundle({ ...config, ...more }).files.find(
    ({ path }) => path === "/etc/daytona-edge/edge/env",
  );
  return Buffer.from(env?.content ?? "")
    .toString()
    .split("\n");
};

test.each(["10.0.0.5:4000", "daytona:80", "daytona.example.net:443"])(
  "Daytona's proxy keeps its port: %s",
  (address) => {
    expect(environmentOf(`http://${address}`)).toContain(
      `EDGE_DAYTONA=${address}`,
    );
  },
);

test.each([
  ["10.0.0.5:4000", "off"],
  ["10.0.0.5.example.net:4000", "on"],
  ["daytona:80", "on"],
])("only a name is looked up again and again: %s", (address, named) => {
  expect(environmentOf(`http://${address}`)).toContain(
    `EDGE_DAYTONA_NAMED=${named}`,
  );
});

test.each<[Partial<EdgeConfig>, string, string]>([
  [{}, ":443,:::443", "404"],
  [{ listen: ["10.0.0.5"] }, "10.0.0.5:443", "404"],
  [
    {
      listen: ["10.0.0.5", "2001:db8::5"],
      otherSites: {
        https: "[::1]:8443",
        http: "[::1]:80",
        proxyProtocol: true,
      },
    },
    "10.0.0.5:443,2001:db8::5:443",
    "421",
  ],
])("what it listens at, and says of other names: %j", (more, tls, status) => {
  const environment = environmentOf("http://10.0.0.5:4000", more);
  expect(environment).toContain(`EDGE_LISTEN_TLS=${tls}`);
  expect(environment).toContain(`EDGE_FOREIGN_STATUS=${status}`);
});
