import { expect, test } from "vitest";
import { parseEgressRules } from "../../../infra/gateway/rules.ts";
import { verifyRules } from "../../../infra/gateway/rules-document.ts";

const { rules } = parseEgressRules([
  "https://openrouter.ai/api/v1/*",
  { url: "https://api.github.com/*", inspect: true },
]);
const verify = (document: unknown) =>
  verifyRules(Buffer.from(JSON.stringify(document)));

test("what the bundle writes comes out as it was", () => {
  expect(verify({ rules })).toEqual(rules);
  expect(verify({ rules: [] })).toEqual([]);
});

test.each([
  ["no object", null, 'no list "rules"'],
  ["no list", { rules: "all" }, 'no list "rules"'],
  ["nothing", {}, 'no list "rules"'],
  ["one bad rule among good ones", { rules: [...rules, {}] }, "not a URL"],
  [
    "a host that the URL does not name",
    { rules: [{ ...rules[0], host: "example.org" }] },
    "but the store says",
  ],
  [
    "splice where the URL has a path",
    { rules: [{ ...rules[0], mode: "splice" }] },
    "but the store says",
  ],
  [
    "a limit that this version does not know",
    { rules: [{ ...rules[0], methods: ["GET"] }] },
    "but the store says",
  ],
])("%s is refused as a whole", (_, document, message) => {
  expect(() => verify(document)).toThrow(message);
});

test("half a document is refused", () => {
  const whole = JSON.stringify({ rules });
  expect(() => verifyRules(Buffer.from(whole.slice(0, -5)))).toThrow(
    "not JSON",
  );
  expect(() => verifyRules(Buffer.from(""))).toThrow("not JSON");
});
