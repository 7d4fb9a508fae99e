import { describe, expect, test } from "vitest";
import { parseConfig } from "../../../infra/config/parse.ts";
import { learnMap, learning } from "../../../infra/gateway/learn.ts";
import {
  rulesDocument,
  verifyRules,
} from "../../../infra/gateway/rules-document.ts";
import { parseEgressRules } from "../../../infra/gateway/rules.ts";

const now = new Date("2026-11-25T12:00:00Z");
const until = "2026-11-26T18:00:00+01:00";
const seconds = Date.UTC(2026, 10, 26, 17) / 1000;

const host = {
  address: "10.0.0.5",
  hostKey: `ssh-ed25519 ${"A".repeat(68)}`,
};

describe("egress.learn", () => {
  const parse = (learn: unknown, stack = "dev", at = now) =>
    parseConfig(
      {
        domain: "sandbox.daytona.example.net",
        platform: "host",
        host,
        cloudflare: { zoneId: "3f1d7cfa3c1c4e6fb0c0a1b1f1d2e3a4" },
        upstream: { mode: "daytona", url: "http://10.0.0.5:4000" },
        egress: { allow: ["https://api.github.com/*"], learn },
        gateway: {
          sandboxes: { interfaces: ["docker0"], networks: ["172.17.0.0/16"] },
        },
      },
      { stack, now: at },
    );

  test("is off by default", () => {
    const { config, warnings } = parse(undefined);
    expect(config?.egress?.learn).toBeUndefined();
    expect(warnings).toEqual([]);
  });

  test("is on until a time, and said in every preview", () => {
    const { config, warnings, problems } = parse({ until });
    expect(problems).toEqual([]);
    expect(config?.egress?.learn).toEqual({ until });
    expect(warnings).toEqual([
      {
        key: "egress.learn",
        message: `sandboxes may call any host until ${until}; "npm run egress -- learn" shows the rules for what they called`,
      },
    ]);
  });

  test("a preview after its end still works, and changes nothing", () => {
    const later = new Date("2027-01-01T00:00:00Z");
    const { config, warnings, problems } = parse({ until }, "dev", later);
    expect(problems).toEqual([]);
    expect(config).toEqual(parse({ until }).config);
    expect(warnings[0]?.message).toBe(
      `ended at ${until}, by itself; remove it`,
    );
  });

  test.each([
    [
      {},
      "dev",
      ".until",
      'missing; write when it ends, for example "2026-11-30T18:00:00Z"',
    ],
    [
      { until: "tomorrow" },
      "dev",
      ".until",
      '"tomorrow" is not a time with a zone; write one such as "2026-11-30T18:00:00Z", with the quotes',
    ],
    // What Pulumi makes of a time without quotes.
    [
      { until: "2026-11-26 18:00:00 +0000 UTC" },
      "dev",
      ".until",
      '"2026-11-26 18:00:00 +0000 UTC" is not a time with a zone; write one such as "2026-11-30T18:00:00Z", with the quotes',
    ],
    [
      { until: "2026-11-26T18:00:00" },
      "dev",
      ".until",
      '"2026-11-26T18:00:00" is not a time with a zone; write one such as "2026-11-30T18:00:00Z", with the quotes',
    ],
    [
      { until: "2026-12-02T12:00:01Z" },
      "dev",
      ".until",
      '"2026-12-02T12:00:01Z" is more than 7 days away; write an earlier time',
    ],
    [
      { until },
      "prod",
      "",
      "would let the sandboxes of prod call any host; remove it, or add evenOnProd: true",
    ],
    [
      { until, evenOnProd: false },
      "prod",
      ".evenOnProd",
      "false is not true; leave it out where it is not prod",
    ],
    [
      { until, untill: 1 },
      "dev",
      ".untill",
      "nothing reads this key; remove it or correct its spelling",
    ],
  ])("%j on %s is refused", (learn, stack, key, message) => {
    const { config, problems } = parse(learn, stack);
    const said = problems.map(({ key, message }) => ({ key, message }));
    expect(said).toEqual([{ key: `egress.learn${key}`, message }]);
    expect(config).toBeUndefined();
  });

  test("prod learns when it is asked to in so many words", () => {
    const { config } = parse({ until, evenOnProd: true }, "prod");
    expect(config?.egress?.learn).toEqual({ until });
  });

  test("whoever does not say which stack it is gets prod's answer", () => {
    const { problems } = parseConfig({
      domain: "sandbox.daytona.example.net",
      platform: "host",
      host,
      cloudflare: { zoneId: "3f1d7cfa3c1c4e6fb0c0a1b1f1d2e3a4" },
      upstream: { mode: "daytona", url: "http://10.0.0.5:4000" },
      egress: { allow: [], learn: { until: "2020-01-01T00:00:00Z" } },
      gateway: {
        sandboxes: { interfaces: ["docker0"], networks: ["172.17.0.0/16"] },
      },
    });
    expect(problems.map(({ key }) => key)).toEqual(["egress.learn"]);
  });
});

describe("a gateway's clock decides", () => {
  test.each([
    ["2026-11-26T16:59:59Z", seconds, "learning until"],
    ["2026-11-26T17:00:00Z", undefined, "learnt until"],
    ["2027-11-26T17:00:00Z", undefined, "learnt until"],
    ["2026-11-19T17:00:00Z", seconds, "learning until"],
    // A clock that lost its time must not make a week of years.
    ["2026-11-19T16:59:59Z", undefined, "does not learn"],
    ["1970-01-01T00:00:00Z", undefined, "does not learn"],
  ])("at %s: %s", (time, end, said) => {
    const state = learning({ until }, new Date(time));
    expect(state.said).toContain(said);
    expect(state.until && state.until.getTime() / 1000).toBe(end);
    expect(learnMap(state.until)).toBe(
      end === undefined ? "" : `until ${String(end)}\n`,
    );
  });

  test("without learn mode there is nothing to say", () => {
    expect(learning(undefined, now)).toEqual({ said: "" });
  });
});

describe("the document", () => {
  const { rules } = parseEgressRules(["https://openrouter.ai/api/v1/*"]);
  const written = rules.map(({ options }) => options);
  const verify = (document: unknown) => verifyRules(JSON.stringify(document));

  test("comes out as it was", () => {
    const document = rulesDocument(rules, { until });
    expect(verifyRules(document)).toEqual({
      rules,
      learn: { until },
    });
  });

  test("holds no list where an agent without learn mode looks for it", () => {
    expect(JSON.parse(rulesDocument(rules, { until }))).not.toHaveProperty(
      "rules",
    );
  });

  test.each([
    [{ learn: { until } }, 'no list "learn.beside"'],
    [{ learn: null, rules: written }, 'no list "learn.beside"'],
    [{ learn: { beside: written } }, "until nothing is not a time"],
    [{ learn: { until: "soon", beside: written } }, '"soon" is not a time'],
    [{ learn: { until, beside: [{}] } }, "[0].url"],
    [{ learn: { until, beside: written }, rules: written }, "stand twice"],
    [{ learn: { until, beside: written, for: 1 } }, "for nothing reads"],
    [{ rules: written, hours: "9-17" }, "hours nothing reads this key"],
  ])("%j is refused as a whole", (document, message) => {
    expect(() => verify(document)).toThrow(message);
  });
});
