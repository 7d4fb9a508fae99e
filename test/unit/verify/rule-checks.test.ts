import { describe, expect, test } from "vitest";
import { parseEgressRules } from "../../../infra/gateway/rules.ts";
import {
  type RuleCheck,
  allowingRule,
  brief,
  ruleChecks,
} from "../../../scripts/verify/rule-checks.ts";

const parse = (written: readonly unknown[]) => {
  const { rules, problems } = parseEgressRules(written);
  expect(problems).toEqual([]);
  return rules;
};

const checksOf = (...written: unknown[]) =>
  ruleChecks(parse(written), "169.254.20.1");

/** `+` what is allowed, `-` what is not. */
const whatOf = (...written: unknown[]) =>
  checksOf(...written).map(({ host, checks, untried }) => [
    host,
    ...checks.map(({ allowed, what }) => `${allowed ? "+" : "-"} ${what}`),
    ...untried.map((url) => `? ${url}`),
  ]);

const check = (what: string, ...written: unknown[]): RuleCheck => {
  const found = checksOf(...written)
    .flatMap(({ checks }) => checks)
    .find((each) => each.what === what);
  if (!found) throw new Error(`no check "${what}"`);
  return found;
};

const own = "x.example";
const all = `https://${own}/*`;
const api = `https://${own}/api/v1/*`;

describe("what is tried", () => {
  test("the request's own rules", () => {
    expect(
      whatOf(
        "https://openrouter.ai/api/v1/*",
        "https://api.anthropic.com/*",
        "https://api.github.com/*",
      ),
    ).toEqual([
      [
        "api.anthropic.com",
        "- a name below",
        "+ GET /",
        "- an encrypted hello",
      ],
      ["api.github.com", "- a name below", "+ GET /", "- an encrypted hello"],
      [
        "openrouter.ai",
        "- a name below",
        "- GET /api/daytona-edge-verify",
        "+ GET /api/v1/",
        "- WebSocket /api/v1/",
      ],
    ]);
  });

  test.each([
    [
      "methods: a refused one that is safe, whatever is allowed",
      [{ url: all, methods: ["GET"] }],
      ["- OPTIONS /", "+ GET /", "- WebSocket /"],
    ],
    [
      "all of the safe ones",
      [{ url: all, methods: ["GET", "OPTIONS", "PROPFIND"] }],
      ["+ GET /", "- WebSocket /"],
    ],
    [
      "no safe one: nothing is sent that could arrive and do something",
      [{ url: all, methods: ["POST", "DELETE"] }],
      ["- OPTIONS /", `? ${all}`],
    ],
    [
      "HEAD where GET may not be",
      [{ url: all, methods: ["HEAD"] }],
      ["- OPTIONS /", "+ HEAD /"],
    ],
    [
      "one path: beside it and below it",
      [`https://${own}/a/b`],
      [
        "- GET /a/daytona-edge-verify",
        "- GET /a/b/daytona-edge-verify",
        "+ GET /a/b",
        "- WebSocket /a/b",
      ],
    ],
    [
      "what another rule allows is not tried as forbidden",
      [api, `https://${own}/api/*`],
      [
        "+ GET /api/v1/",
        "- WebSocket /api/v1/",
        "- GET /daytona-edge-verify",
        "+ GET /api/",
        "- WebSocket /api/",
      ],
    ],
    [
      "a wider rule's methods count as well",
      [
        api,
        {
          url: `https://${own}/api/v1/key`,
          methods: ["POST"],
          clientCredential: "deny",
        },
      ],
      [
        "- GET /api/daytona-edge-verify",
        "+ GET /api/v1/",
        "- WebSocket /api/v1/",
        "+ GET /api/v1/key",
        "- WebSocket /api/v1/key",
      ],
    ],
    [
      "upgrade",
      [{ url: api, upgrade: "websocket" }],
      [
        "- GET /api/daytona-edge-verify",
        "+ GET /api/v1/",
        "+ WebSocket /api/v1/",
      ],
    ],
    [
      "a client's credential denied",
      [{ url: all, clientCredential: "deny" }],
      ["+ GET /", "- / with a key of its own", "- WebSocket /"],
    ],
    [
      "and replaced",
      [{ url: all, credential: { header: "api-key", secret: "a" } }],
      ["+ GET /", "- WebSocket /"],
    ],
    [
      "inspect: never, whatever the path",
      [{ url: api, inspect: "never" }],
      ["+ GET /api/v1/", "- an encrypted hello"],
    ],
    ["ech", [{ url: all, ech: "allow" }], ["+ GET /", "+ an encrypted hello"]],
  ])("%s", (_, written, expected) => {
    expect(whatOf(...written)).toEqual([[own, "- a name below", ...expected]]);
  });

  test("a wildcard: by an invented name, which nobody has", () => {
    expect(whatOf({ url: "https://*.x.example/*", wildcard: true })).toEqual([
      [
        "*.x.example",
        "+ the name daytona-edge-verify",
        "- two labels",
        "- an encrypted hello",
      ],
    ]);
    const [host] = whatOf(
      { url: "https://*.x.example/a/*", wildcard: true },
      all,
    );
    expect(host).toContain("- GET /daytona-edge-verify");
    // The name below it is one that the wildcard allows.
    expect(
      whatOf({ url: "https://*.x.example/a/*", wildcard: true }, all)[1],
    ).toEqual([own, "+ GET /", "- an encrypted hello"]);
  });

  test("nothing that changes a host is ever sent", () => {
    const commands = checksOf(
      api,
      {
        url: `https://${own}/api/v1/key`,
        methods: ["POST", "DELETE"],
        clientCredential: "deny",
      },
      { url: "https://y.example/*", methods: ["POST"] },
    ).flatMap(({ checks }) => checks.map(({ command }) => command));
    expect(commands.join("\n")).not.toMatch(/POST|DELETE|PUT|PATCH|'-d'/);
  });

  test("a path is one word for the shell, and no pattern for curl", () => {
    const { command } = check(
      "GET /a'$(id)/[1-3]",
      `https://${own}/a'$(id)/[1-3]`,
    );
    expect(command).toContain(String.raw`'https://x.example/a'\''$(id)/[1-3]'`);
    expect(command).toContain("'-g'");
  });
});

describe("what counts", () => {
  const answer = "HTTP/2 404 \r\ncontent-type: text/plain\r\n\r\nno such page";
  const denied = (reason: string) =>
    `HTTP/2 403 \r\nx-egress-policy: deny\r\n\r\n{"error":{"code":"egress_denied","message":"… (${reason}).","host":""}}`;
  const failed =
    'HTTP/2 503 \r\nx-egress-policy: error\r\n\r\n{"error":{"code":"egress_unreachable"}}';

  test("allowed: any answer of the host's, none of the gateway's", () => {
    const { holds } = check("GET /api/v1/", api);
    expect(holds(answer)).toBe(true);
    expect(holds("HTTP/1.1 403 Forbidden\r\n\r\nyour key?")).toBe(true);
    expect(holds(denied("credential_missing"))).toBe(false);
    expect(holds(failed)).toBe(false);
    expect(holds("curl: (35) TLS connect error")).toBe(false);
    expect(holds("")).toBe(false);
  });

  test("refused: by the gateway, for the reason that is meant", () => {
    const { holds } = check("GET /api/daytona-edge-verify", api);
    expect(holds(denied("path_not_allowed"))).toBe(true);
    expect(holds(denied("host_mismatch"))).toBe(false);
    expect(holds(answer)).toBe(false);
    expect(
      holds("HTTP/2 403 \r\n\r\nthe host says (path_not_allowed) itself"),
    ).toBe(false);
  });

  test("passed through: the host's own certificate", () => {
    const { holds } = check("GET /", all);
    expect(holds("*  issuer: CN=R11\n< HTTP/2 401 ")).toBe(true);
    expect(
      holds("*  issuer: CN=daytona-edge egress CA 337f5b0f\n< HTTP/2 401 "),
    ).toBe(false);
    expect(holds("curl: (6) Could not resolve host: x.example")).toBe(false);
  });

  test("an encrypted hello: the gateway's own alert, or anything else", () => {
    const { holds: refused } = check("an encrypted hello", all);
    const { holds: passes } = check("an encrypted hello", {
      url: all,
      ech: "allow",
    });
    for (const [said, isRefused, isPassed] of [
      ["15030300020270", true, false],
      ["16030300a50200", false, true],
      ["", false, false],
    ] as const) {
      expect(refused(said)).toBe(isRefused);
      expect(passes(said)).toBe(isPassed);
    }
  });

  test("what is shown is short and none of the host's own words", () => {
    expect(brief(answer)).toBe("404");
    expect(brief(denied("upgrade"))).toBe("403 upgrade");
    expect(brief("15030300020270")).toBe("TLS alert unrecognized_name");
    expect(brief("")).toBe("nothing");
  });
});

test("the allowing rule is the closest whose methods fit", () => {
  const rules = parse([
    api,
    {
      url: `https://${own}/api/v1/key`,
      methods: ["GET"],
      clientCredential: "deny",
    },
    {
      url: `https://${own}/api/v1/files/*`,
      methods: ["GET"],
      clientCredential: "deny",
    },
  ]);
  const url = (path: string, method: string) =>
    allowingRule(rules, path, method)?.options.url;
  expect(url("/api/v1/key", "GET")).toBe(`https://${own}/api/v1/key`);
  expect(url("/api/v1/key", "POST")).toBe(api);
  expect(url("/api/v1/files/1", "GET")).toBe(`https://${own}/api/v1/files/*`);
  expect(url("/api/v1", "GET")).toBeUndefined();
  expect(url("/", "GET")).toBeUndefined();
});
