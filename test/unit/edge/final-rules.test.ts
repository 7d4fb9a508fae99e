import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const infra = join(import.meta.dirname, "../../../infra");
const rules = (configuration: string) =>
  readFileSync(join(infra, configuration), "utf8")
    .split("\n")
    .map((line) => line.trim());
const isFinal = (rule: string) =>
  /^http-response (deny|reject|return|redirect|use-service) /.test(rule);
const statusesOf = (rule: string) =>
  [...rule.matchAll(/\{ status ([\d ]+) \}/g)].flatMap(([, statuses = ""]) =>
    statuses.split(" "),
  );

// HAProxy 3.0 ends itself when such a rule meets an interim answer: interim.lua.
test("each final rule for an answer waits until interim answers have left", () => {
  const edge = rules("edge/haproxy.cfg");
  const waits = edge.findIndex((rule) => rule.includes("lua.send_interim"));
  const waitedFor = statusesOf(edge[waits] ?? "");
  const finals = edge.filter(isFinal);
  expect(finals.length).toBeGreaterThan(3);
  for (const rule of finals) {
    expect(rule).toMatch(/ interim_sent$/);
    expect(rule).not.toContain(" || ");
    expect(edge.indexOf(rule)).toBeGreaterThan(waits);
    expect(rule.includes(" !a_status ") || statusesOf(rule).length === 1).toBe(
      true,
    );
    expect(waitedFor).toEqual(expect.arrayContaining(statusesOf(rule)));
  }
});

test("the gateway has no final rule for an answer", () => {
  expect(rules("gateway/haproxy.cfg").filter(isFinal)).toEqual([]);
});
