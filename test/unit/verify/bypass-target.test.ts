import { expect, test } from "vitest";
import { parseEgressRules } from "../../../infra/gateway/rules.ts";
import { liveRows } from "../../../scripts/verify/bypass/rows.ts";
import { bypassTarget } from "../../../scripts/verify/bypass/target.ts";

const target = (...written: unknown[]) => {
  const { rules, problems } = parseEgressRules(written);
  expect(problems).toEqual([]);
  return bypassTarget({
    rules,
    gateway: "169.254.20.1",
    forbidden: {
      host: "example.org",
      ipv4: "203.0.113.20",
      ipv6: "2001:db8::",
    },
    places: ["10.0.0.5:4000"],
    otherSandbox: "172.20.0.3",
    nameServers: ["10.0.0.5"],
    edge: { ipv4: "198.18.0.4", host: "a-3000.sandbox.example.net" },
    addressOf: (host) => Promise.resolve(`true address of ${host}`),
  });
};

test("the request's own rules give every row something to try", async () => {
  const found = await target(
    "https://openrouter.ai/api/v1/*",
    "https://api.anthropic.com/*",
  );
  expect(found).toMatchObject({
    allowed: {
      host: "api.anthropic.com",
      ipv4: "true address of api.anthropic.com",
    },
    spliced: "api.anthropic.com",
    inspected: {
      host: "openrouter.ai",
      path: "/api/v1/",
      hasWebSocket: false,
      limit: { prefix: "/api/v1/", outside: "/api/daytona-edge-verify" },
    },
  });
  const numbers = liveRows(found).map(({ number }) => number);
  expect(numbers).toEqual([
    ...[1, 2, 3, 4, 5, 6, 8, 9, 10, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21],
    ...[22, 23, 24, 25, 27, 28, 29, 30, 31, 33, 39, 47],
  ]);
});

test("a name that a wildcard allows is not tried as forbidden", async () => {
  const found = await target(
    { url: "https://*.github.com/*", wildcard: true },
    "https://api.github.com/*",
  );
  expect(found.allowed).toBeUndefined();
  const numbers = liveRows(found).map(({ number }) => number);
  for (const number of [9, 12, 16, 24, 30, 47]) {
    expect(numbers).not.toContain(number);
  }
  expect(numbers).toContain(1);
});

test("an encrypted hello is tried only where it is refused", async () => {
  const { spliced, allowed } = await target({
    url: "https://a.example/*",
    ech: "allow",
  });
  expect(spliced).toBeUndefined();
  expect(allowed?.host).toBe("a.example");
});

test("no rule needs no host", async () => {
  const numbers = liveRows(await target()).map(({ number }) => number);
  expect(numbers).toEqual([
    ...[1, 2, 3, 4, 5, 8, 15, 19, 20, 21, 22, 23, 27, 28, 29],
  ]);
});
