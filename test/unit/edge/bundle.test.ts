/** What the configuration becomes on an edge. */
import { expect, test } from "vitest";
import { edgeBundle } from "../../../infra/edge/bundle.ts";
import { parseConfig } from "../../../infra/config/parse.ts";

const environmentOf = (url: string) => {
  const { config } = parseConfig({
    domain: "sandbox.daytona.example.net",
    platform: "local",
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
