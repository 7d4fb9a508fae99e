import { describe, expect, test } from "vitest";
import { parseConfig } from "../../../infra/config/parse.ts";
import { problemReport } from "../../../infra/config/problems.ts";

const good = {
  domain: "sandbox.daytona.example.net",
  platform: "host",
  host: {
    address: "10.0.0.5",
    hostKey: `ssh-ed25519 ${"A".repeat(68)}`,
  },
  cloudflare: { zoneId: "3f1d7cfa3c1c4e6fb0c0a1b1f1d2e3a4" },
  upstream: { mode: "daytona", url: "http://10.0.0.5:4000" },
  egress: { allow: ["https://api.github.com/*"] },
  gateway: {
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
      accessKeyGeneration: 1,
      host: { user: "root" },
      egress: { gateway: { rootServers: [] } },
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
    [{ platform: "azure" }, "platform", "host or aws"],
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
    [{ toolbox: "yes" }, "toolbox", '"yes" is not true or false; write one'],
    [{ deniedPorts: [70000] }, "deniedPorts[0]", "65535"],
    [{ egress: { allow: ["api.github.com"] } }, "egress.allow[0]", "no scheme"],
    [{ egress: { allow: "x" } }, "egress.allow", "not a list"],
  ])("%j is refused at %s", (change, key, text) => {
    expect(problemsOf(change)).toEqual([
      expect.objectContaining({
        key,
        message: expect.stringContaining(text) as string,
      }),
    ]);
  });

  const direct = {
    mode: "direct",
    resolver: "127.0.0.1:53",
    networks: ["172.20.0.0/16"],
  };

  test.each(["http://10.0.0.5:99999", "http://10.0.0.5:0", "http://a@b:4000"])(
    "%s is no address of Daytona's proxy",
    (url) => {
      expect(problemsOf({ upstream: { mode: "daytona", url } })).toEqual([
        {
          key: "upstream.url",
          message: expect.stringContaining("1 to 65535") as string,
        },
      ]);
    },
  );

  test.each(["127.0.0.1:99999", "127.0.0.1:65536", "1:1", "300.0.0.1:53"])(
    "%s is no resolver",
    (resolver) => {
      expect(problemsOf({ upstream: { ...direct, resolver } })).toEqual([
        {
          key: "upstream.resolver",
          message: expect.stringContaining("127.0.0.1:53") as string,
        },
      ]);
    },
  );

  test.each(["127.0.0.1:65535", "[::1]:53", "::1:53"])(
    "%s is a resolver",
    (resolver) => {
      expect(problemsOf({ upstream: { ...direct, resolver } })).toEqual([]);
    },
  );

  test("access is never weaker than what stands behind, unless asked for", () => {
    const access = (change: Record<string, unknown>) =>
      parseConfig({ ...good, ...change }).config?.access;
    expect(access({})).toBe("daytona");
    expect(access({ upstream: direct })).toBe("signed");
    expect(access({ access: "signed" })).toBe("signed");
    expect(access({ upstream: direct, access: "public" })).toBe("public");
    expect(problemsOf({ upstream: direct, access: "daytona" })).toEqual([
      { key: "access", message: expect.stringContaining("public") as string },
    ]);
  });

  test("what nothing reads is said", () => {
    const signed = { upstream: direct };
    expect(problemsOf({ ...signed, toolbox: true })).toMatchObject([
      { key: "toolbox", message: expect.stringContaining("direct") as string },
    ]);
    expect(problemsOf({ ...signed, toolbox: false })).toEqual([]);
    const egress = { allow: [], limits: { perRunner: 5 } };
    expect(problemsOf({ egress })).toMatchObject([
      {
        key: "egress.limits.perRunner",
        message: expect.stringContaining("platform host") as string,
      },
    ]);
    const warningsOf = (change: Record<string, unknown>) =>
      parseConfig({ ...good, ...change, accessKeyGeneration: 2 }).warnings;
    expect(warningsOf(signed)).toEqual([]);
    expect(warningsOf({})).toEqual([
      {
        key: "accessKeyGeneration",
        message: "nothing reads it while access is daytona",
      },
    ]);
  });

  test.each([
    "172.20.0.0",
    "0.0.0.0/0",
    "10.0.0.0/7",
    "::/0",
    "::/96",
    "::ffff:0:0/96",
    "::ffff:10.0.0.0/104",
    "0:0::/64",
  ])("%s is no network of sandboxes", (network) => {
    const upstream = { ...direct, networks: [network] };
    expect(problemsOf({ upstream })).toEqual([
      {
        key: "upstream.networks[0]",
        message: expect.stringContaining("172.20.0.0/16") as string,
      },
    ]);
  });

  test("networks of either family", () => {
    const networks = [
      "10.0.0.0/8",
      "172.20.0.0/16",
      "fd00:1::/64",
      "2001:db8::/32",
    ];
    expect(problemsOf({ upstream: { ...direct, networks } })).toEqual([]);
  });

  test("what sandboxes may call needs no key gateway, and a gateway needs it", () => {
    const { egress, gateway, ...roadIn } = good;
    expect(parseConfig(roadIn)).toMatchObject({
      problems: [],
      config: { egress: undefined },
    });
    expect(parseConfig({ ...roadIn, egress })).toMatchObject({
      problems: [],
      config: { egress: { gateway: { rootServers: [] } } },
    });
    expect(parseConfig({ ...roadIn, gateway }).problems).toMatchObject([
      { key: "egress", message: expect.stringContaining("allow") as string },
    ]);
  });

  test.each([
    {},
    { ...good, egress: undefined },
    { ...good, platform: "aws", gateway: undefined, host: undefined },
    { ...good, platform: "aws", gateway: undefined, aws: {}, host: undefined },
    { ...good, host: undefined },
    { ...good, host: { address: "a.example" } },
    {
      ...good,
      host: { address: "10.0.0.5", hostKey: "x", runners: [{}] },
    },
    { ...good, certificate: { challenge: {} } },
    { ...good, platform: undefined },
    { ...good, upstream: { mode: "direct" } },
  ])("what is missing has a line to type: %j", (given) => {
    const missing = parseConfig(given).problems.filter(({ message }) =>
      message.startsWith("missing"),
    );
    expect(missing).not.toEqual([]);
    for (const { key, commands } of missing) {
      expect(commands?.join("\n").replaceAll("'", ""), key).toContain(
        `pulumi config set --path daytona-edge:${key}`,
      );
    }
  });

  test("a list has lines to type that make a list", () => {
    const adopt = { services: { adopt: { vpcId: "vpc-aaaaaaaa" } } };
    const { problems } = parseConfig({
      ...good,
      upstream: { mode: "direct", resolver: "127.0.0.1:53" },
      aws: { region: "eu-central-1", ...adopt, edge: { mixed: {} } },
    });
    const set = "pulumi config set --path 'daytona-edge:";
    expect(problems.flatMap(({ commands }) => commands ?? [])).toEqual([
      `${set}aws.services.adopt.subnetIds[0]' <subnet>`,
      `${set}aws.services.adopt.subnetIds[1]' <subnet>`,
      `${set}aws.edge.mixed.instanceTypes[0]' <type>`,
      `${set}upstream.networks[0]' <network>`,
    ]);
  });

  test.each([
    ["platform", { platform: undefined }, "set it to host or aws"],
    ["upstream.resolver", { upstream: { mode: "direct" } }, "127.0.0.1:53"],
    ["upstream.networks", { upstream: { mode: "direct" } }, "[172.20.0.0/16]"],
    ["host.hostKey", { host: {} }, "ssh_host_ed25519"],
  ])("of a missing %s it is said what it is", (key, change, text) => {
    const problem = problemsOf(change).find((problem) => problem.key === key);
    expect(problem?.message).toMatch(/^missing; set /);
    expect(problem?.message).toContain(text);
  });

  const inside = (sandboxes: Record<string, unknown>) => ({
    gateway: { ...good.gateway, sandboxes },
  });
  test.each<[Record<string, unknown>, string, string]>([
    [
      { upstream: "daytona" },
      "upstream",
      '"daytona" does not say where sandboxes are; write mode: daytona and url, or mode: direct, resolver and networks',
    ],
    [
      { upstream: { mode: "proxy" } },
      "upstream.mode",
      '"proxy" is no mode; write daytona or direct',
    ],
    [
      { upstream: { url: "http://10.0.0.5:4000" } },
      "upstream.mode",
      "missing; set it to daytona or direct",
    ],
    [
      { cloudflare: [] },
      "cloudflare",
      "a list is not a mapping; write its keys and their values below it",
    ],
    [
      { certificate: null },
      "certificate",
      "nothing is not a mapping; write its keys and their values below it",
    ],
    [{ deniedPorts: 8080 }, "deniedPorts", "8080 is not a list; write [8080]"],
    [
      { limits: { headSeconds: "10s" } },
      "limits.headSeconds",
      '"10s" is not a whole number; write one, without unit',
    ],
    [
      { limits: { headSeconds: 1.5 } },
      "limits.headSeconds",
      "1.5 is not a whole number; write one, without unit",
    ],
    [
      { limits: { headBytes: 100 } },
      "limits.headBytes",
      "100 is too small; write 16384 or more",
    ],
    [
      { limits: { headBytes: 1_000_000 } },
      "limits.headBytes",
      "1000000 is too large; write 131072 or less",
    ],
    [
      { access: "Signed" },
      "access",
      '"Signed" is not known here; write daytona, signed or public',
    ],
    [
      { certificate: { directory: "http://x" } },
      "certificate.directory",
      '"http://x" is not an https URL; write one such as https://acme-v02.api.letsencrypt.org/directory',
    ],
    [
      { certificate: { contact: "mailto:a@b.c" } },
      "certificate.contact",
      '"mailto:a@b.c" is not an e-mail address; write one such as ops@example.net',
    ],
    [
      inside({ interfaces: ["a b"] }),
      "gateway.sandboxes.interfaces[0]",
      '"a b" is not the name of an interface; write one such as br-sandbox, of 15 characters at most',
    ],
    [
      inside({ networks: ["10.0.0.1"] }),
      "gateway.sandboxes.networks[0]",
      '"10.0.0.1" is not an IPv4 network; write one such as 10.0.0.0/8, or 10.0.0.1/32 for a single address',
    ],
    [
      {
        egress: { allow: [] },
        gateway: { forwarders: ["10.0.0.2", "127.0.0.53"] },
      },
      "gateway.forwarders[1]",
      "it is the server itself, where the gateway's resolver does not ask; write those that it asks in turn, which resolvectl dns says there",
    ],
  ])("%j: the value, and what to write", (change, key, message) => {
    expect(problemsOf(change)).toMatchObject([{ key, message }]);
  });

  test("limits have defaults, each of its own", () => {
    const { config } = parseConfig({
      ...good,
      limits: { client: { connections: 7 }, drainMinutes: 60 },
    });
    expect(config?.limits).toMatchObject({
      client: { connections: 7, requestsPerSecond: 1_000 },
      sandbox: { concurrentStreams: 1_000 },
      headBytes: 16_384,
      drainMinutes: 60,
    });
  });

  test("limits of the road out have defaults, each of its own", () => {
    const { config } = parseConfig({
      ...good,
      egress: { allow: [], limits: { connections: 7 } },
    });
    expect(config?.egress?.limits).toEqual({
      connectionsPerSecond: 100,
      connections: 7,
      requestsPerSecond: 1_000,
      concurrentRequests: 1_000,
      perRunner: 5,
    });
  });

  test.each([
    [
      { limits: { client: { rate: 1 } } },
      "limits.client.rate",
      "nothing reads",
    ],
    [
      { limits: { client: { connections: 0 } } },
      "limits.client.connections",
      "1",
    ],
    [{ limits: { drainMinutes: 1441 } }, "limits.drainMinutes", "1440"],
    [{ limits: { headBytes: 1024 } }, "limits.headBytes", "16384"],
    [{ accessKeyGeneration: 0 }, "accessKeyGeneration", "not a generation"],
    [{ accessKeyGeneration: "x" }, "accessKeyGeneration", "not a generation"],
    [{ accessKeyGeneration: 1.5 }, "accessKeyGeneration", "not a generation"],
  ])("%j is refused", (change, key, text) => {
    expect(problemsOf(change)).toEqual([
      { key, message: expect.stringContaining(text) as string },
    ]);
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

  test("wrong rules hide nothing that other keys have wrong together", () => {
    const egress = {
      allow: ["https://a.example/*", { url: "https://a.example/*", ech: 1 }],
    };
    expect(problemsOf({ host: undefined, egress })).toMatchObject([
      { key: "egress.allow[1].ech", message: "1 is not refuse or allow" },
      { key: "host", message: expect.stringContaining("hostKey") as string },
    ]);
  });

  test("of a rule without a URL it is said where to write it", () => {
    const egress = { allow: [{ methods: ["GET"] }] };
    expect(problemsOf({ egress })).toEqual([
      {
        key: "egress.allow[0].url",
        message: 'missing; write the URL pattern, such as "https://host/*"',
        commands: [
          "pulumi config set --path 'daytona-edge:egress.allow[0].url' '<https://host/*>'",
        ],
      },
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
