import { describe, expect, test } from "vitest";
import { parseEgressRules } from "../../../infra/gateway/rules.ts";
import { journalEntries } from "../../../scripts/deployments/journal.ts";
import { type Learnt, learntOf } from "../../../scripts/egress/learnt.ts";
import {
  changedRules,
  smallestRules,
} from "../../../scripts/egress/smallest-rules.ts";

const v1 = "https://openrouter.ai/api/v1/*";
const host = (name: string): Learnt => ({ host: name });
const get = (path: string, method = "GET", name = "openrouter.ai"): Learnt => ({
  host: name,
  request: { method, path },
});

test("learnt rows, each thing once, and no others", () => {
  const row = (of: object) =>
    JSON.stringify({
      __REALTIME_TIMESTAMP: "1",
      _SYSTEMD_UNIT: "daytona-gateway.service",
      MESSAGE: JSON.stringify({ client: "172.20.0.2", ...of }),
    });
  const tls = { kind: "tls", host: "example.org" };
  const http = { kind: "http", host: "openrouter.ai", method: "GET" };
  const journal = [
    row({ ...tls, verdict: "learnt" }),
    row({ ...tls, verdict: "learnt" }),
    row({ ...tls, host: "other.example", verdict: "allowed" }),
    row({ ...tls, host: "bad.example", verdict: "address_refused" }),
    row({ ...http, path: "/status", verdict: "learnt" }),
    "-- No entries --",
  ].join("\n");
  expect(learntOf(journalEntries(journal))).toEqual([
    host("example.org"),
    get("/status"),
  ]);
});

/** What was learnt, beside which rules, and what comes to them. */
test.each<[string, Learnt[], unknown[], unknown[]]>([
  ["nothing", [], [v1], []],
  [
    "whole hosts where nothing was seen, in order",
    [host("b.example"), host("a.example")],
    [v1],
    ["https://a.example/*", "https://b.example/*"],
  ],
  [
    "what a rule allows by now",
    [host("a.example")],
    ["https://a.example/*"],
    [],
  ],
  [
    "what a wildcard allows",
    [host("x.a.example")],
    [{ url: "https://*.a.example/*", wildcard: true }],
    [],
  ],
  ["a path", [get("/status")], [v1], ["https://openrouter.ai/status"]],
  ["a path that is allowed by now", [get("/api/v1/models")], [v1], []],
  [
    "a path of a host that lost its rules",
    [get("/status")],
    [],
    ["https://openrouter.ai/status"],
  ],
  [
    "few paths stay paths",
    ["a", "b", "c", "d"].map((path) => get(`/x/${path}`)),
    [v1],
    ["a", "b", "c", "d"].map((path) => `https://openrouter.ai/x/${path}`),
  ],
  [
    "many become the longest directory that they share",
    ["1/a", "1/b", "1/c", "2/d", "2/e"].map((path) => get(`/x/y/${path}`)),
    [v1],
    ["https://openrouter.ai/x/y/*"],
  ],
  [
    "but never the whole host",
    [
      ...["a", "b", "c", "d", "e"].map((path) => get(`/${path}`)),
      ...["a", "b", "c", "d", "e"].map((path) => get(`/x/${path}`)),
    ],
    [v1],
    [
      ...["a", "b", "c", "d", "e"].map(
        (path) => `https://openrouter.ai/${path}`,
      ),
      "https://openrouter.ai/x/*",
    ],
  ],
  [
    "a path that no rule can write becomes its directory",
    [get("/files/%C3%A9"), get("/files/a")],
    [v1],
    ["https://openrouter.ai/files/*"],
  ],
  [
    "a path that the row may have cut becomes its directory",
    [get(`/files/${"a".repeat(1017)}`)],
    [v1],
    ["https://openrouter.ai/files/*"],
  ],
  [
    "methods where rules of the host have them",
    [get("/status", "POST"), get("/status", "GET"), get("/models")],
    [{ url: v1, methods: ["GET"] }],
    [
      { url: "https://openrouter.ai/models", methods: ["GET"] },
      { url: "https://openrouter.ai/status", methods: ["GET", "POST"] },
    ],
  ],
  [
    "a method of a path below a rule, for that path alone",
    [get("/api/v1/keys", "POST")],
    [{ url: v1, methods: ["GET"] }],
    [{ url: "https://openrouter.ai/api/v1/keys", methods: ["POST"] }],
  ],
  [
    "no credential, and nobody else's either where there is one",
    [get("/status")],
    [{ url: v1, credential: { header: "authorization", secret: "key-1" } }],
    [{ url: "https://openrouter.ai/status", clientCredential: "deny" }],
  ],
  [
    "paths, where their directory would make a rule meaningless",
    ["a", "b", "c", "d", "e"].map((path) => get(`/x/${path}`)),
    [{ url: "https://openrouter.ai/x/z", methods: ["GET"] }],
    ["a", "b", "c", "d", "e"].map((path) => ({
      url: `https://openrouter.ai/x/${path}`,
      methods: ["GET"],
    })),
  ],
])("%s", (_, learnt, written, added) => {
  const change = smallestRules(learnt, written);
  expect(change.added).toEqual(added);
  expect(change.methods.size).toBe(0);
  expect(change.notLearnable).toEqual([]);
  expect(parseEgressRules(changedRules(written, change)).problems).toEqual([]);
});

test("a method of exactly a rule's path comes to that rule", () => {
  const status = "https://openrouter.ai/status";
  const change = smallestRules(
    [get("/status", "POST")],
    ["https://a.example/*", { url: status, methods: ["GET"] }],
  );
  expect(change.added).toEqual([]);
  expect([...change.methods]).toEqual([[1, ["POST"]]]);
});

describe("not learnable", () => {
  const credential = { header: "authorization", secret: "key-1" };
  test.each<[Learnt, unknown[], string, string]>([
    [host("1.2.3.4"), [], "1.2.3.4", "names an IP address"],
    [
      host("a\u001b[31m.example"),
      [],
      "a\u001b[31m.example",
      "no valid host name",
    ],
    [host("a%1b.example"), [], "a%1b.example", "no valid host name"],
    [host("localhost"), [], "localhost", "no valid host name"],
    [get("/%C3%A9"), [v1], "GET openrouter.ai/%C3%A9", "the whole host"],
    [host("openrouter.ai"), [v1], "openrouter.ai", "passed unseen"],
    [
      get("/b", "GET", "x.a.example"),
      [{ url: "https://*.a.example/a", wildcard: true }],
      "GET x.a.example/b",
      "write it by hand",
    ],
    [
      get("/status", "POST"),
      [{ url: "https://openrouter.ai/status", methods: ["GET"], credential }],
      "POST https://openrouter.ai/status",
      "adds a credential",
    ],
  ])("%j beside %j", (learnt, written, wanted, why) => {
    const change = smallestRules([learnt, host("good.example")], written);
    expect(change.added).toEqual(["https://good.example/*"]);
    expect(change.methods.size).toBe(0);
    expect(change.notLearnable).toEqual([
      { wanted, why: expect.stringContaining(why) as string },
    ]);
  });
});

test("a list that is wrong itself is said to be", () => {
  expect(() => smallestRules([], ["api.github.com"])).toThrow(
    /egress\.allow is wrong: \[0\].*no scheme/,
  );
});
