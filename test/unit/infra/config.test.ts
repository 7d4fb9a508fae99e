import { describe, expect, test } from "vitest";
import { problemReport } from "../../../infra/config-problems.ts";
import { parseConfig } from "../../../infra/config.ts";

const good = {
  domain: "sandbox.daytona.example.net",
  platform: "local",
  cloudflare: { zoneId: "3f1d7cfa3c1c4e6fb0c0a1b1f1d2e3a4" },
  upstream: { mode: "daytona", url: "http://10.0.0.5:4000" },
  egress: { allow: ["https://api.github.com/*"] },
  gateway: {
    server: { address: "10.0.0.5" },
    sandboxes: { interfaces: ["br-sandbox"], networks: ["172.20.0.0/16"] },
  },
};

const problemsOf = (change: Record<string, unknown>) =>
  parseConfig({ ...good, ...change }).problems;

describe("parseConfig", () => {
  test("a small configuration gets safe defaults", () => {
    const { config, problems } = parseConfig(good);
    expect(problems).toEqual([]);
    expect(config).toMatchObject({
      access: "daytona",
      toolbox: false,
      certificate: { caaIdentity: "letsencrypt.org" },
      gateway: { rootServers: [], server: { user: "root" } },
    });
    expect(Object.isFrozen(config)).toBe(true);
  });

  test("Daytona's own ports are denied whatever is configured", () => {
    const { config } = parseConfig({ ...good, deniedPorts: [9229, 2280] });
    expect(config?.deniedPorts).toEqual([
      2280, 5900, 5901, 6080, 9229, 22220, 22222, 33333,
    ]);
  });

  test.each([
    [{ domian: "x" }, "domian", "nothing reads this key"],
    [{ domain: undefined }, "domain", "missing; set the base name"],
    [{ upstream: undefined }, "upstream", "missing; set mode: daytona"],
    [{ upstream: { url: "x" } }, "upstream.mode", "daytona or direct"],
    [{ domain: "Sandbox.Example.net" }, "domain", "not a lower-case host name"],
    [{ domain: "*.example.net" }, "domain", "not a lower-case host name"],
    [{ platform: "azure" }, "platform", "local"],
    [{ cloudflare: { zoneId: "x" } }, "cloudflare.zoneId", "zone's overview"],
    [
      { upstream: { mode: "daytona", url: "10.0.0.5" } },
      "upstream.url",
      "http://10.0.0.5:4000",
    ],
    [
      { upstream: { mode: "daytona", url: "http://h:1", ur: 1 } },
      "upstream.ur",
      "nothing reads this key",
    ],
    [{ deniedPorts: [70000] }, "deniedPorts[0]", "65535"],
    [{ egress: { allow: ["api.github.com"] } }, "egress.allow[0]", "no scheme"],
    [{ egress: { allow: "x" } }, "egress.allow", "not a list"],
  ])("%j is refused at %s", (change, key, text) => {
    expect(problemsOf(change)).toEqual([
      { key, message: expect.stringContaining(text) as string },
    ]);
  });

  test("upstream direct is guarded by nobody, so public must be asked for", () => {
    const upstream = {
      mode: "direct",
      resolver: "127.0.0.1:53",
      networks: ["172.20.0.0/16"],
    };
    expect(problemsOf({ upstream })).toEqual([
      { key: "access", message: expect.stringContaining("public") as string },
    ]);
    expect(problemsOf({ upstream, access: "daytona" })).toHaveLength(1);
    expect(problemsOf({ upstream, access: "public" })).toEqual([]);
  });

  test("all problems are found at once", () => {
    const problems = problemsOf({
      domain: "X",
      toolbox: "yes",
      egress: { allow: ["ftp://a.example/", "https://1.2.3.4/*"] },
    });
    expect(problems.map(({ key }) => key)).toEqual([
      "domain",
      "toolbox",
      "egress.allow[0]",
      "egress.allow[1]",
    ]);
  });
});

test("problemReport names the file, aligns the keys, counts", () => {
  expect(
    problemReport("Pulumi.prod.yaml", "daytona-edge:", [
      { key: "a", message: "one" },
      { key: "bcd", message: "two" },
    ]),
  ).toBe(
    [
      "Pulumi.prod.yaml: 2 problems",
      "  daytona-edge:a    one",
      "  daytona-edge:bcd  two",
    ].join("\n"),
  );
});
