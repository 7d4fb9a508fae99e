import { expect, test } from "vitest";
import { parseEgressRules } from "../../../infra/gateway/rules.ts";
import {
  rulesDocument,
  verifyRules,
} from "../../../infra/gateway/rules-document.ts";

const written = [
  "https://openrouter.ai/api/v1/*",
  { url: "https://api.github.com/*", inspect: true, methods: ["GET"] },
];
const verify = (document: unknown) => verifyRules(JSON.stringify(document));

test("what the bundle writes comes out as it was", () => {
  const { rules } = parseEgressRules(written);
  expect(rules).toHaveLength(2);
  expect(verifyRules(rulesDocument(rules))).toEqual({ rules });
  expect(verify({ rules: [] })).toEqual({ rules: [] });
});

test.each([
  ["no object", null, 'no list "rules"'],
  ["no list", { rules: "all" }, 'no list "rules"'],
  ["nothing", {}, 'no list "rules"'],
  ["one bad rule among good ones", { rules: [...written, {}] }, "[2].url"],
  [
    "a limit that this version does not know",
    { rules: [{ url: "https://api.github.com/*", hours: "9-17" }] },
    "[0].hours nothing reads this key",
  ],
  [
    "rules that cannot both hold",
    { rules: ["https://x.example/*", "https://x.example/a/*"] },
    "cannot both hold",
  ],
])("%s is refused as a whole", (_, document, message) => {
  expect(() => verify(document)).toThrow(message);
});

test("half a document is refused", () => {
  const whole = JSON.stringify({ rules: written });
  expect(() => verifyRules(whole.slice(0, -5))).toThrow("not JSON");
  expect(() => verifyRules("")).toThrow("not JSON");
});
