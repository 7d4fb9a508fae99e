import { describe, expect, test } from "vitest";
import {
  exactMap,
  hostsOf,
  methodsMap,
  nearestMap,
  optionsMap,
  prefixMap,
  sniMap,
} from "../../../infra/gateway/rule-maps.ts";
import { parseEgressRules } from "../../../infra/gateway/rules.ts";

const request = [
  "https://openrouter.ai/api/v1/*",
  "https://api.anthropic.com/*",
  "https://api.github.com/*",
];

describe("what the request writes", () => {
  test("whole hosts are spliced, a path is inspected", () => {
    const { rules, problems } = parseEgressRules(request);
    expect(problems).toEqual([]);
    expect(rules.map(({ host, path, mode }) => [host, path, mode])).toEqual([
      ["openrouter.ai", "/api/v1/", "inspect"],
      ["api.anthropic.com", "/", "splice"],
      ["api.github.com", "/", "splice"],
    ]);
  });

  test("the maps let in these hosts and this path", () => {
    const { rules } = parseEgressRules(request);
    expect(sniMap(rules)).toBe(
      "api.anthropic.com splice\napi.github.com splice\nopenrouter.ai inspect\n",
    );
    expect(prefixMap(rules)).toBe(
      "openrouter.ai/api/v1/ https://openrouter.ai/api/v1/*\n",
    );
    expect(exactMap(rules)).toBe("");
    expect(hostsOf(rules, "inspect")).toEqual(["openrouter.ai"]);
  });
});

test("a whole host can be inspected, and one path be allowed alone", () => {
  const { rules, problems } = parseEgressRules([
    { url: "https://api.github.com/*", inspect: true },
    "https://openrouter.ai/api/v1/models",
    "https://openrouter.ai/api/v1/chat/*",
  ]);
  expect(problems).toEqual([]);
  expect(sniMap(rules)).toBe("api.github.com inspect\nopenrouter.ai inspect\n");
  expect(exactMap(rules)).toBe(
    "openrouter.ai/api/v1/models https://openrouter.ai/api/v1/models\n",
  );
  expect(prefixMap(rules)).toBe(
    "api.github.com/ https://api.github.com/*\nopenrouter.ai/api/v1/chat/ https://openrouter.ai/api/v1/chat/*\n",
  );
});

test("no rules are maps that let nothing through", () => {
  const { rules, problems } = parseEgressRules([]);
  expect(problems).toEqual([]);
  expect(sniMap(rules) + exactMap(rules) + prefixMap(rules)).toBe("");
});

test.each([
  ["openrouter.ai/api/*", 'no scheme; write "https://openrouter.ai/api/*"'],
  ["//openrouter.ai/*", 'no scheme; write "https://openrouter.ai/*"'],
  ["GitHub.com", 'write "https://github.com/*" to allow the whole host'],
  [
    "github.com/org",
    'write "https://github.com/org/*" for all below this path, or "https://github.com/org" for it alone',
  ],
  [" https://openrouter.ai/*", "has blanks around it; leave them out"],
  ["https:/x", "is no URL; write one such as"],
  ["10.0.0.0/8", "names an IP address"],
  ["*", "is no URL; write one such as"],
  [
    "http://openrouter.ai/*",
    'only https can be allowed, write "https://openrouter.ai/*"',
  ],
  ["HTTPS://openrouter.ai/*", 'write "https://openrouter.ai/*"'],
  ["https://1.2.3.4/*", "IP address"],
  ["https://127.1/*", "IP address"],
  ["https://2130706433/*", "IP address"],
  ["https://0x7f000001/*", "no valid host name"],
  ["https://0x7f.1/*", "no valid host name"],
  ["https://[2001:db8::1]/*", "IP address"],
  ["https://openrouter.ai:443/*", "leave the port out"],
  ["https://openrouter.ai:8443/*", "leave the port out"],
  ["https://*.github.com/*", "one rule for each exact name"],
  ["https://*/*", "wildcard"],
  ["https://me:secret@openrouter.ai/*", "user name"],
  ["https://openrouter.ai/api/v1?model=x", "query or a fragment"],
  ["https://openrouter.ai/api#x", "query or a fragment"],
  ["https://openrouter.ai", 'no path; write "https://openrouter.ai/*"'],
  ["https://openrouter.ai/*/models", "one * only, at the end"],
  ["https://openrouter.ai/api*", 'at the end after a "/"'],
  ["https://OpenRouter.ai/*", 'write "https://openrouter.ai/*"'],
  ["https://openrouter.ai./*", "dot"],
  ["https://localhost/*", "no valid host name"],
  ["https://gateway.internal/*", "the gateway itself"],
  ["https://x.gateway.internal/ca.pem", "the gateway itself"],
  ["https:///api/*", "no valid host name"],
  ["https://exämple.org/*", "no valid host name"],
  ["https://-x.example.org/*", "no valid host name"],
  ["https://api_1.example.org/*", "no valid host name"],
  [`https://${"a".repeat(64)}.example.org/*`, "no valid host name"],
  ["https://openrouter.ai/api/../v1/*", "not canonical"],
  ["https://openrouter.ai/api//v1/*", "not canonical"],
  ["https://openrouter.ai/api/%76%31/*", "not canonical"],
  ["https://openrouter.ai/api;v=1/*", "not canonical"],
  ["https://openrouter.ai/a b/*", "not canonical"],
  ["https://openrouter.ai/a\nb/*", "not canonical"],
])("%j is refused", (url, message) => {
  const { rules, problems } = parseEgressRules([url]);
  expect(rules).toEqual([]);
  expect(problems).toEqual([
    { key: "[0]", message: expect.stringContaining(message) as string },
  ]);
  expect(problems[0]?.message).toContain(url);
});

test.each([
  [undefined, "", "not a list"],
  ["https://openrouter.ai/*", "", "not a list"],
  [[7], "[0]", "neither a URL nor an object"],
  [[null], "[0]", "neither a URL nor an object"],
  [[{}], "[0].url", "missing; write the URL pattern"],
  [[{ url: 7 }], "[0].url", "not a URL"],
  [[{ url: "https://x.example/*", inspect: "yes" }], "[0].inspect", "true"],
  [[{ url: "https://x.example/*", port: 1 }], "[0].port", "nothing reads"],
])("%j is refused at %s", (input, key, message) => {
  expect(parseEgressRules(input).problems).toEqual([
    { key, message: expect.stringContaining(message) as string },
  ]);
});

test("rules that cannot both hold are refused", () => {
  const { problems } = parseEgressRules([
    "https://openrouter.ai/*",
    "https://api.github.com/*",
    "https://openrouter.ai/api/v1/*",
    "https://api.github.com/*",
  ]);
  expect(problems).toEqual([
    { key: "[2]", message: expect.stringContaining("cannot both") as string },
    { key: "[3]", message: expect.stringContaining("twice") as string },
  ]);
});

const bearer = { header: "Authorization", scheme: "Bearer", secret: "key-1" };
const api = "https://x.example/api/*";

describe("options", () => {
  test.each([
    [{ url: "https://x.example/*", methods: ["GET"] }, "inspect"],
    [{ url: "https://x.example/*", credential: bearer }, "inspect"],
    [{ url: "https://x.example/*", clientCredential: "deny" }, "inspect"],
    [{ url: "https://x.example/*", inspect: true }, "inspect"],
    [{ url: "https://x.example/*", inspect: false }, "splice"],
    [{ url: "https://x.example/*", clientCredential: "pass" }, "splice"],
    [{ url: "https://x.example/*", ech: "allow" }, "splice"],
    [{ url: api, inspect: "never" }, "splice"],
    [{ url: "https://*.x.example/*", wildcard: true }, "splice"],
  ])("%j: %s", (rule, mode) => {
    const { rules, problems } = parseEgressRules([rule]);
    expect(problems).toEqual([]);
    expect(rules[0]?.mode).toBe(mode);
  });

  test.each([
    [{ url: api, methods: [] }, "methods", "allows nothing"],
    [{ url: api, methods: "GET" }, "methods", "not a list"],
    [{ url: api, methods: ["GET", "get"] }, "methods[1]", "upper case"],
    [{ url: api, methods: ["CONNECT"] }, "methods[0]", "not a method"],
    [{ url: api, methods: ["TRACE"] }, "methods[0]", "not a method"],
    [{ url: api, inspect: "always" }, "inspect", "not true, false or never"],
    [{ url: api, credential: "key" }, "credential", "no credential"],
    [
      { url: api, credential: { secret: "a" } },
      "credential.header",
      "write one of",
    ],
    [
      { url: api, credential: { ...bearer, header: "Cookie" } },
      "credential.header",
      "write one of authorization",
    ],
    [
      { url: api, credential: { ...bearer, scheme: "a b" } },
      "credential.scheme",
      "not a scheme",
    ],
    [
      { url: api, credential: { ...bearer, secret: "sk-or-v1-ABC" } },
      "credential.secret",
      "not the name of a secret",
    ],
    [{ url: api, clientCredential: "drop" }, "clientCredential", "not pass"],
    [{ url: api, clientCredential: "replace" }, "clientCredential", "nothing"],
    [
      { url: api, credential: bearer, clientCredential: "pass" },
      "clientCredential",
      "an account of its own",
    ],
    [{ url: api, upgrade: "h2c" }, "upgrade", "cannot be allowed"],
    [
      { url: "https://x.example/*", upgrade: "websocket" },
      "upgrade",
      "add inspect: true",
    ],
    [
      { url: api, credential: bearer, upgrade: "websocket" },
      "upgrade",
      "cannot go with a credential",
    ],
    [{ url: api, ech: "allow" }, "ech", "means nothing"],
    [
      { url: api, inspect: "never", methods: ["GET"] },
      "methods",
      "cannot be enforced",
    ],
    [
      { url: api, inspect: "never", credential: bearer },
      "credential",
      "cannot be enforced",
    ],
    [{ url: "https://*.x.example/*", wildcard: false }, "wildcard", "not true"],
    [{ url: "https://x.example/*", wildcard: true }, "url", "no wildcard"],
    [{ url: "https://*.*.example/*", wildcard: true }, "url", "first label"],
    [{ url: "https://a*.example/*", wildcard: true }, "url", "no wildcard"],
    [{ url: "https://*/*", wildcard: true }, "url", "no wildcard"],
    [{ url: "https://*.org/*", wildcard: true }, "url", "no valid host"],
    [
      { url: "https://*.gateway.internal/*", wildcard: true },
      "url",
      "the gateway itself",
    ],
  ])("%j is refused at %s", (rule, key, message) => {
    const { rules, problems } = parseEgressRules([rule]);
    expect(rules).toEqual([]);
    expect(problems).toEqual([
      {
        key: `[0].${key}`,
        message: expect.stringContaining(message) as string,
      },
    ]);
  });

  test("a rule that narrows nothing, and one host with two kinds of ech", () => {
    const { problems } = parseEgressRules([
      api,
      { url: "https://x.example/api/admin/*", methods: ["GET"] },
      { url: "https://y.example/*", ech: "allow" },
      { url: "https://y.example/*" },
    ]);
    expect(problems.map(({ key }) => key)).toEqual(["[1]", "[3]"]);
    expect(problems[0]?.message).toContain(`"${api}" allows all of it`);
  });
});

describe("maps of options", () => {
  const { rules } = parseEgressRules([
    { url: "https://x.example/*", methods: ["GET", "HEAD"], inspect: true },
    { url: "https://x.example/a/*", methods: ["POST"], credential: bearer },
    { url: "https://x.example/a/b", clientCredential: "deny" },
    { url: "https://x.example/w/*", upgrade: "websocket" },
    { url: "https://y.example/*", ech: "allow" },
  ]);

  test("a method is looked for in the closest rule that has it", () => {
    const x = "https://x.example";
    expect(methodsMap(rules).trimEnd().split("\n")).toEqual([
      `*:${x}/a/b ${x}/a/b`,
      `*:${x}/w/* ${x}/w/*`,
      `GET:${x}/* ${x}/*`,
      `GET:${x}/a/* ${x}/*`,
      `HEAD:${x}/* ${x}/*`,
      `HEAD:${x}/a/* ${x}/*`,
      `POST:${x}/a/* ${x}/a/*`,
    ]);
  });

  test("options are words", () => {
    expect(optionsMap(rules).trimEnd().split("\n")).toEqual([
      "https://x.example/a/* client-replace,in-authorization",
      "https://x.example/a/b client-deny",
      "https://x.example/w/* websocket",
    ]);
  });

  test("a refusal names the rule that is nearest", () => {
    expect(nearestMap(rules).trimEnd().split("\n")).toEqual([
      "x.example/ https://x.example/*",
      "x.example/a/ https://x.example/a/*",
      "x.example/a/b https://x.example/a/b",
      "x.example/w/ https://x.example/w/*",
    ]);
  });

  test("ech belongs to the host", () => {
    expect(sniMap(rules)).toBe("x.example inspect\ny.example splice-ech\n");
  });
});

test("all problems are found at once", () => {
  const { problems } = parseEgressRules(["x", "https://1.2.3.4/*", 5]);
  expect(problems.map(({ key }) => key)).toEqual(["[0]", "[1]", "[2]"]);
});

test("more inspected hosts than the authority has room for are refused", () => {
  // Names of 25 bytes.
  const list = (count: number) =>
    Array.from(
      { length: count },
      (_, index) =>
        `https://host-${String(index).padStart(4, "0")}.nowhere.example/a/*`,
    );
  expect(parseEgressRules(list(344)).problems).toEqual([]);
  expect(parseEgressRules(list(345)).problems).toEqual([
    {
      key: "",
      message:
        "the names of the 345 inspected hosts take 10005 bytes, and the gateway's authority has room for 10000; allow some of them as a whole, without a path and with inspect: never",
    },
  ]);
});
