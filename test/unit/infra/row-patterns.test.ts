/** Which rows count, by rows as machines of the lab have written them. */
import { describe, expect, test } from "vitest";
import * as patterns from "../../../infra/platforms/aws/row-patterns.ts";
import { journalEntries } from "../../../scripts/deployments/journal.ts";
import { denialsOf } from "../../../scripts/egress/denials.ts";
import { rowOf } from "../../../infra/machine/logs/journal.ts";
import { errorCodes } from "../../../infra/edge/error-bodies.ts";
import { matches } from "../../filter-pattern.ts";

const edge = (change: object) =>
  JSON.stringify({
    ...{
      time: 1795663227161,
      requestId: "6cbe6c7c-2d9b-495a-a468-4b50f60fa625",
    },
    ...{ client: "2001:db8::1", sandbox: "", port: "3000", method: "GET" },
    ...{ path: "/", version: "HTTP/2.0", status: 200, error: "" },
    ...{ requestMs: 0, queueMs: 0, connectMs: 1, responseMs: 1, totalMs: 2 },
    ...{ end: "--", tls: "TLSv1.3", unit: "daytona-edge" },
    ...change,
  });
/** An entry of a gateway's journal, as journalctl prints it. */
const entry = (unit: string, said: object | string) =>
  JSON.stringify({
    __CURSOR: "s=1",
    __REALTIME_TIMESTAMP: "1795663222711541",
    _SYSTEMD_UNIT: `${unit}.service`,
    MESSAGE: typeof said === "string" ? said : JSON.stringify(said),
  });

test("the evaluator of the tests knows the vendor's own examples", () => {
  const event = JSON.stringify({
    user: { id: 1, email: "John.Stiles@example.com" },
    users: [1, 2, 3],
    latency: 501,
  });
  for (const [pattern, expected] of [
    ['{ ($.user.id = 1) && ($.user.email = "John.*") }', true],
    ["{ ($.user.id = 2 && $.latency = 501) || $.user.id = 3 }", false],
    ["{ $.user.id = 1 || $.latency = 1 && $.user.id = 2 }", true],
    ["{ ($.user.id = 1 || $.latency = 1) && $.user.id = 2 }", false],
    ["{ $.latency >= 500 }", true],
    ["{ $.users = 1 }", false],
    ["{ $.users != 1 }", false],
    ['{ $.other != "x" }', false],
  ] as const) {
    expect(matches(pattern, event), pattern).toBe(expected);
  }
  expect(matches(patterns.requests, "no JSON")).toBe(false);
  for (const pattern of [
    "{ $.user.id ~ 1 }",
    '{ $.["oob.prefix"] = "x" }',
    '{ $.user.email = "Jo*hn" }',
    "{ $.latency > 1 ",
  ]) {
    expect(() => matches(pattern, event), pattern).toThrow();
  }
});

describe("requests", () => {
  test.each<[string, string, boolean, boolean, boolean]>([
    // The row; whether it is a request, an error of the edge's own, has a time.
    ["an answer", edge({}), true, false, true],
    ["the application's own 503", edge({ status: 503 }), true, false, true],
    [
      "nobody answers",
      edge({ status: 503, error: "sandbox_unreachable", responseMs: -1 }),
      true,
      true,
      false,
    ],
    [
      "no valid answer",
      edge({ status: 502, error: "sandbox_bad_answer" }),
      true,
      true,
      true,
    ],
    [
      "no answer in time",
      edge({ status: 504, error: "sandbox_timeout", responseMs: -1 }),
      true,
      true,
      false,
    ],
    [
      "the client's fault",
      edge({ status: 404, error: "unknown_host", responseMs: -1 }),
      true,
      false,
      false,
    ],
    [
      "what the program says",
      JSON.stringify({ message: "status: 503", unit: "daytona-edge" }),
      false,
      false,
      false,
    ],
    [
      "a word of the sender's",
      JSON.stringify({ kind: "alive", sentRows: 9, unit: "daytona-logs" }),
      false,
      false,
      false,
    ],
  ])("%s", (_, row, request, error, answered) => {
    expect(matches(patterns.requests, row)).toBe(request);
    expect(matches(patterns.ownErrors, row)).toBe(error);
    expect(matches(patterns.answered, row)).toBe(answered);
  });
});

test("errors for what stands behind the edge are called so, and no others", () => {
  const codes = Object.entries(errorCodes);
  expect(codes.length).toBeGreaterThan(10);
  for (const [error, status] of codes) {
    // 500 and 501 are about what the client did.
    expect(matches(patterns.ownErrors, edge({ error, status })), error).toBe(
      status >= 502,
    );
  }
});

test("the sender's word counts, nobody else's", () => {
  const word = (unit: string) => JSON.stringify({ kind: "alive", unit });
  expect(matches(patterns.alive, word("daytona-logs"))).toBe(true);
  expect(matches(patterns.alive, word("daytona-edge"))).toBe(false);
});

const proxy = (change: object) =>
  entry("daytona-gateway", {
    ...{ time: 1795663222711, kind: "tls", client: "10.81.0.5" },
    ...{ host: "example.org", verdict: "host_not_allowed", address: "" },
    ...change,
  });
test.each([
  [proxy({})],
  [proxy({ verdict: "allowed" })],
  [proxy({ verdict: "learnt" })],
  [proxy({ verdict: "encrypted_hello" })],
  [proxy({ kind: "http", verdict: "path_not_allowed", path: "/x" })],
  [proxy({ kind: "http", verdict: "allowed" })],
  [proxy({ kind: "connection", verdict: "failed" })],
  [entry("daytona-gateway", "proxy gateway stopped")],
  [
    entry("daytona-gateway-log", {
      ...{ "oob.prefix": "egress refused", src_ip: "10.81.0.5" },
      ...{ dest_ip: "1.1.1.1", dest_port: 53, "ip.protocol": 17 },
    }),
  ],
  [entry("daytona-gateway-log", "registering plugin `NFLOG'")],
  [entry("daytona-gateway-agent", "3 rules, 3 hosts, 1 inspected")],
])("what npm run egress calls a refusal counts as one: %s", (line) => {
  const message = rowOf(line)?.message ?? "";
  expect(message).not.toBe("");
  expect(matches(patterns.denials, message)).toBe(
    denialsOf(journalEntries(line)).length === 1,
  );
});
