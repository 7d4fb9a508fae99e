/** What the configuration becomes on an edge. */
import { expect, test } from "vitest";
import { edgeBundle } from "../../../infra/edge/bundle.ts";
import { parseConfig } from "../../../infra/config/parse.ts";

const environmentOf = (url: string) => {
  const { config } = parseConfig({
    domain: "sandbox.daytona.example.net",
    platform: "host",
    host: { address: "10.0.0.5", hostKey: `ssh-ed25519 ${"A".repeat(68)}` },
    cloudflare: { zoneId: "3f1d7cfa3c1c4e6fb0c0a1b1f1d2e3a4" },
    upstream: { mode: "daytona", url },
  });
  if (!config) throw new Error("not a configuration");
  const env = edgeBundle(config).files.find(
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
