import { expect, test } from "vitest";
import { markedBy, narrowedRules } from "../../../infra/gateway/narrowed.ts";
import { parseEgressRules } from "../../../infra/gateway/rules.ts";

const host = "https://x.example/*";
const api = "https://x.example/api/*";
const credential = { header: "authorization", secret: "key-1" };

/** Before, after, and which of the rules before lost something. */
test.each<[string, unknown[], unknown[], number[]]>([
  [
    "nothing changes",
    [api, host.replace("x", "y")],
    [host.replace("x", "y"), api],
    [],
  ],
  ["a rule goes", [api, "https://y.example/*"], ["https://y.example/*"], [0]],
  ["a path is narrowed", [api], ["https://x.example/api/v1/*"], [0]],
  ["a path is widened", [api], [{ url: host, inspect: true }], []],
  [
    "an exact path becomes part of a wider one",
    ["https://x.example/api/a"],
    [api],
    [],
  ],
  ["a host is passed through", [api], [host], []],
  ["a host is inspected", [host], [{ url: host, inspect: true }], [0]],
  ["methods are named", [api], [{ url: api, methods: ["GET", "POST"] }], [0]],
  [
    "a method goes",
    [{ url: api, methods: ["GET", "POST"] }],
    [{ url: api, methods: ["GET"] }],
    [0],
  ],
  [
    "a method comes",
    [{ url: api, methods: ["GET"] }],
    [{ url: api, methods: ["GET", "POST"] }],
    [],
  ],
  ["all methods come", [{ url: api, methods: ["GET"] }], [api], []],
  [
    "methods are shared out to two rules",
    [{ url: api, methods: ["GET", "POST"] }],
    [
      { url: api, methods: ["POST"] },
      { url: host, methods: ["GET"], inspect: true },
    ],
    [],
  ],
  ["no upgrade any more", [{ url: api, upgrade: "websocket" }], [api], [0]],
  ["an upgrade too", [api], [{ url: api, upgrade: "websocket" }], []],
  [
    "own credentials are denied",
    [api],
    [{ url: api, clientCredential: "deny" }],
    [0],
  ],
  ["own credentials are replaced", [api], [{ url: api, credential }], [0]],
  [
    "another credential",
    [{ url: api, credential }],
    [{ url: api, credential: { ...credential, secret: "key-2" } }],
    [],
  ],
  ["encrypted hellos are refused", [{ url: host, ech: "allow" }], [host], [0]],
  ["encrypted hellos pass", [host], [{ url: host, ech: "allow" }], []],
])("%s", (_, before, after, lost) => {
  const old = parseEgressRules(before);
  const now = parseEgressRules(after);
  expect([...old.problems, ...now.problems]).toEqual([]);
  expect(narrowedRules(old.rules, now.rules)).toEqual(
    lost.map((index) => old.rules[index]),
  );
});

test("connections are marked as haproxy.cfg does", () => {
  const { rules } = parseEgressRules([api, "https://y.example/*"]);
  expect(rules.map(markedBy)).toEqual([api, "y.example"]);
});
