import { expect, test } from "vitest";
import { parseEgressRules } from "../../../infra/gateway/rules.ts";
import { tryProbe } from "../../../scripts/verify/probe.ts";
import { ruleProbes } from "../../../scripts/verify/rule-probes.ts";

const secret = "sk-or-v1-0123456789";

/** Probes of a sandbox in which every command prints the same. */
const probesOf = (written: readonly unknown[], result: string) => {
  const { rules, problems } = parseEgressRules(written);
  expect(problems).toEqual([]);
  return ruleProbes({
    rules,
    gateway: "169.254.20.1",
    secrets: [secret],
    execute: () => Promise.resolve({ exitCode: 0, result }),
  });
};

const answer = (body: string) => `HTTP/2 200 \r\nx: y\r\n\r\n${body}`;

test("what is allowed and what is not are a row each", async () => {
  const [allowed, refused, ...rest] = await Promise.all(
    probesOf(["https://a.example/api/*"], answer("")).map(tryProbe),
  );
  expect(rest).toEqual([]);
  expect(allowed).toMatchObject({
    name: "a.example: what is allowed",
    ok: true,
    got: "GET /api/ 200",
  });
  expect(refused).toMatchObject({
    name: "a.example: what is not",
    ok: false,
    got: expect.stringContaining("GET /daytona-edge-verify 200") as string,
  });
});

test("an answer with a secret in it fails, and is not shown", async () => {
  const [probe] = probesOf(["https://a.example/api/*"], answer(secret));
  expect(probe && (await tryProbe(probe))).toMatchObject({
    ok: false,
    got: "GET /api/ 200, with the gateway's own secret in it",
  });
});

test("a rule that no safe method tries is said, and fails nothing", async () => {
  const rules = [{ url: "https://a.example/*", methods: ["POST"] }];
  const [probe] = probesOf(rules, "");
  expect(probe && (await tryProbe(probe))).toMatchObject({
    ok: true,
    got: "not tried: https://a.example/*, no safe method",
  });
});

test("forty rules of ten hosts are twenty rows", () => {
  const written = Array.from(
    { length: 40 },
    (_, index) => `https://h${String(index % 10)}.example/p${String(index)}/*`,
  );
  expect(probesOf(written, "")).toHaveLength(20);
});
