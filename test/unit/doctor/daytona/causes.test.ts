import { describe, expect, test } from "vitest";
import { judgeAll } from "../../../../scripts/doctor/daytona/causes/table.ts";
import { findings } from "../../../../scripts/doctor/daytona/report.ts";
import type { Observations } from "../../../../scripts/doctor/daytona/observations.ts";
import {
  byKey,
  bySsh,
  id,
  network,
  noName,
  noTcp,
  noTls,
  rules,
  runner,
} from "./seen.ts";

const idsOf = (seen: Observations, state: "named" | "possible") =>
  judgeAll(seen)
    .filter(({ verdict }) => verdict.state === state)
    .map(({ cause }) => cause.id);
const verdictOf = (seen: Observations, cause: string) =>
  judgeAll(seen).find((it) => it.cause.id === cause)?.verdict;

const key = byKey();
const record = key.api?.sandbox?.value ?? { id, state: "started" };
const toolbox = key.toolbox;
if (!toolbox) throw new Error("there is a toolbox");
const withRecord = (change: Partial<typeof record>): Partial<Observations> => ({
  ...key,
  api: { ...key.api!, sandbox: { value: { ...record, ...change } } },
});
const silent = (change: Partial<Parameters<typeof network>[1]> = noTcp) => ({
  sandbox: {
    value: { ...network("172.20.0.2", change), by: "toolbox" as const },
  },
});
const site = (
  url: string,
  response: NonNullable<Observations["sites"][number]["response"]>,
  addresses = ["203.0.113.10"],
): Observations["sites"] => [
  { what: "toolbox", url, addresses: { value: addresses }, response },
];

describe("what is well", () => {
  test.each([
    ["by a key alone", byKey()],
    ["by SSH alone", bySsh()],
    ["by both", { ...byKey(), server: bySsh().server! }],
    [
      "Docker's rules are nftables'",
      bySsh({
        rules: rules({
          rules: [],
          forwardChains: ["ip docker-bridges filter-FORWARD accept"],
        }),
      }),
    ],
    [
      "a smaller MTU on the uplink, that TCP copes with",
      bySsh({
        host: network("203.0.113.10", { links: [{ name: "eth0", mtu: 1420 }] }),
      }),
    ],
    [
      "another project has the runner's subnet, which the runner has no part in",
      bySsh({ networks: [{ name: "shop", subnets: ["172.20.0.0/16"] }] }),
    ],
    [
      "a proxy that the network asks for, and that works",
      bySsh(
        {},
        {
          ...noTcp,
          asConfigured: network("172.20.0.2").asConfigured,
          proxies: ["https_proxy=proxy:3128"],
        },
      ),
    ],
    [
      "sandboxes by the server's own Docker",
      bySsh({
        containers: [],
        runner: {
          ...runner(),
          name: "daytona-runner",
          isContainer: false,
          network: undefined,
          rules: undefined,
        },
      }),
    ],
  ])("names nothing: %s", (_, seen) => {
    expect(idsOf(seen, "named")).toEqual([]);
    expect(idsOf(seen, "possible")).toEqual([]);
    expect(findings(seen).rows.filter(({ state }) => state === "bad")).toEqual(
      [],
    );
  });

  test("each cause that is excluded says by which row", () => {
    const seen = { ...byKey(), server: bySsh().server! };
    const asked = findings(seen).rows.map(({ check }) => check);
    const verdicts = judgeAll(seen).map(({ verdict }) => verdict);
    const excluded = verdicts.filter(({ state }) => state === "excluded");
    expect(excluded.length).toBeGreaterThan(15);
    for (const verdict of excluded) {
      if (verdict.state === "excluded") expect(asked).toContain(verdict.by);
    }
  });
});

const oldDaemon = {
  ...withRecord({ daemonVersion: "v0.140.0" }),
  toolbox: {
    ...toolbox,
    byProxy: { value: "v0.140.0" },
    shell: {
      value: { exitCode: 0, result: "first > /dev/null && echo second\n" },
    },
    limited: { value: { limit: 2, seconds: 5.2 } },
  },
};

const byKeyAlone: [string, string[], Partial<Observations>][] = [
  [
    "the API is silent",
    ["A"],
    { api: { config: { error: "ECONNREFUSED" } }, sites: [] },
  ],
  [
    "the key is refused",
    ["K"],
    {
      api: {
        ...key.api!,
        key: "refused",
        sandbox: { error: "key refused: 401 to GET …" },
      },
    },
  ],
  ["an old daemon", ["1"], oldDaemon],
  [
    "an old daemon, by its version alone",
    ["1"],
    {
      ...withRecord({ daemonVersion: "0.112.1" }),
      toolbox: {
        ...toolbox,
        byProxy: { value: "0.112.1" },
        shell: { error: "no answer in time" },
      },
    },
  ],
  [
    "a time limit that is not kept",
    ["2"],
    { toolbox: { ...toolbox, limited: { value: { limit: 2, seconds: 5.1 } } } },
  ],
  [
    "an exit status that is lost (reaper race)",
    ["3"],
    { toolbox: { ...toolbox, repeated: { value: { runs: 40, lost: 2 } } } },
  ],
  [
    "a toolbox address of the computer itself",
    ["5"],
    {
      ...withRecord({ toolboxProxyUrl: "http://proxy.localhost:4000/toolbox" }),
      sites: site(
        "http://proxy.localhost:4000/health",
        { error: "ECONNREFUSED" },
        ["127.0.0.1"],
      ),
    },
  ],
  ["a stopped sandbox", ["15"], withRecord({ state: "stopped" })],
  [
    "networkBlockAll",
    ["14"],
    { ...withRecord({ networkBlockAll: true }), ...silent() },
  ],
  [
    "an allow list without the name server",
    ["14"],
    {
      ...withRecord({ networkAllowList: "140.82.112.0/20" }),
      ...silent(noName),
    },
  ],
  ["names alone", ["12"], silent(noName)],
  [
    "a proxy variable",
    ["13"],
    silent({
      proxies: ["https_proxy=10.0.0.9:3128"],
      asConfigured: {
        exitCode: 7,
        connected: false,
        secured: false,
        found: "",
      },
    }),
  ],
  [
    "packets of 1500 bytes that do not come back",
    ["9"],
    silent({
      ...noTls,
      pings: [
        { size: 1500, came: false },
        { size: 1300, came: true },
      ],
    }),
  ],
  [
    "Cloudflare without a certificate at that depth",
    ["16"],
    {
      sites: site(
        "https://proxy.example.net/health",
        { error: "ssl/tls alert handshake failure" },
        ["104.16.3.4"],
      ),
    },
  ],
  [
    "Cloudflare that got no answer in 100 s",
    ["16"],
    {
      sites: site("https://proxy.example.net/health", {
        value: { status: 524, cloudflare: true },
      }),
    },
  ],
];

test.each(byKeyAlone)("by a key alone: %s", (_, causes, change) => {
  expect(idsOf(byKey(change), "named")).toEqual(causes);
});

const bySshAlone: [string, string[], Observations][] = [
  [
    "a subnet collision, and not what follows from it",
    ["8"],
    bySsh(
      {
        config: undefined,
        proxyVersion: undefined,
        runner: {
          ...runner(),
          network: network("172.20.0.5", {
            ...noTcp,
            routes: [
              ...network("172.20.0.5").routes,
              { interface: "br-2", to: "172.20.0.0/16", gateway: "0.0.0.0" },
            ],
          }),
          sandbox: { ...runner().sandbox!, daemon: { error: "timed out" } },
        },
      },
      noTcp,
    ),
  ],
  [
    "no masquerading in the runner",
    ["10"],
    bySsh(
      {
        runner: {
          ...runner(),
          rules: rules({ rules: ["filter: :FORWARD ACCEPT [0:0]"] }),
        },
      },
      noTcp,
    ),
  ],
  [
    "a closed chain on the server",
    ["10"],
    bySsh(
      {
        rules: rules({
          forwardChains: ["ip filter FORWARD drop", "inet filter forward drop"],
        }),
        runner: { ...runner(), network: { ...runner().network!, ...noTcp } },
        units: ["nftables"],
      },
      noTcp,
    ),
  ],
  [
    "a DROP before Docker's rules",
    ["10"],
    bySsh(
      {
        rules: rules({
          rules: ["filter: -A FORWARD -j DROP", ...rules().rules],
        }),
        runner: { ...runner(), network: { ...runner().network!, ...noTcp } },
      },
      noTcp,
    ),
  ],
  [
    "rules of the other iptables",
    ["11"],
    bySsh(
      {
        runner: {
          ...runner(),
          rules: rules({ otherRules: ["filter: :FORWARD DROP [9:540]"] }),
        },
      },
      noTcp,
    ),
  ],
  [
    "a rule of a sandbox that is gone",
    ["14"],
    bySsh(
      {
        runner: {
          ...runner(),
          rules: rules({
            rules: [
              ...rules().rules,
              "filter: -A DOCKER-USER -s 172.20.0.2/32 -j DAYTONA-SB-ffff00001111",
            ],
          }),
        },
      },
      noTcp,
    ),
  ],
  [
    "a smaller uplink",
    ["9"],
    bySsh(
      {
        host: network("203.0.113.10", { links: [{ name: "eth0", mtu: 1450 }] }),
      },
      noTls,
    ),
  ],
  [
    "the server has no egress",
    ["S"],
    bySsh(
      {
        host: network("203.0.113.10", noTcp),
        runner: { ...runner(), network: { ...runner().network!, ...noTcp } },
      },
      noTcp,
    ),
  ],
  [
    "RUNNER_DOMAIN=localhost",
    ["6"],
    bySsh({
      runner: runner({ domain: "localhost" }),
      proxyToRunner: { error: "refused" },
    }),
  ],
  [
    "a sandbox on a network that the runner does not know",
    ["7"],
    bySsh({
      runner: runner({
        sandbox: {
          ...runner().sandbox!,
          networks: ["own"],
          daemon: { error: "timed out" },
        },
      }),
    }),
  ],
  [
    "a runner that was stopped",
    ["15"],
    bySsh({
      containers: [
        {
          service: "runner",
          name: "box-runner-1",
          image: "x",
          state: "exited",
          project: "box",
        },
      ],
      runner: undefined,
      proxyToRunner: undefined,
    }),
  ],
];

test.each(bySshAlone)("by SSH alone: %s", (_, causes, seen) => {
  expect(idsOf(seen, "named")).toEqual(causes);
});

test("two at once: each is named, what explains more first", () => {
  const seen = {
    ...bySsh({ runner: { ...runner(), rules: rules({ rules: [] }) } }, noTcp),
    ...oldDaemon,
    sandbox: { value: { ...network("172.20.0.2", noTcp), by: "ssh" as const } },
  };
  expect(idsOf(byKey(seen), "named")).toEqual(["10", "1"]);
});

test("ports that Docker publishes are closed with the server's forwarding", () => {
  const { server } = bySsh(
    {
      rules: rules({ forwardChains: ["inet filter forward drop"] }),
      runner: { ...runner(), network: { ...runner().network!, ...noTcp } },
    },
    noTcp,
  );
  const closed = {
    sites: site("https://proxy.example.net/health", {
      error: "no answer in time",
    }),
    server: server!,
  };
  const seen = byKey({ ...closed, ...silent() });
  expect(idsOf(seen, "named")).toEqual(["10"]);
  expect(verdictOf(seen, "F")).toMatchObject({ state: "follows", from: "10" });
  // What is wrong in the runner closes no port of the server.
  const inRunner = bySsh({
    runner: { ...runner(), rules: rules({ rules: [] }) },
  });
  expect(
    idsOf(byKey({ ...closed, ...silent(), server: inRunner.server! }), "named"),
  ).toEqual(["F", "10"]);
});

test("a key alone does not tell whose rules close a sandbox, and says so", () => {
  const seen = byKey(silent());
  expect(idsOf(seen, "named")).toEqual([]);
  expect(verdictOf(seen, "10")).toEqual({
    state: "unknown",
    because: "needs a login: --ssh root@SERVER",
  });
});

test("an API that is silent from here, and answers on its server", () => {
  const seen = byKey({
    api: { config: { error: "no answer in time" } },
    server: bySsh().server!,
  });
  expect(verdictOf(seen, "A")).toMatchObject({
    state: "named",
    because: expect.stringContaining(
      "on the server itself the API answers",
    ) as string,
  });
});
