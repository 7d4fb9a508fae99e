import { expect, test } from "vitest";
import { parseEgressRules } from "../../../infra/gateway/rules.ts";
import {
  unenforced,
  unenforcedLines,
} from "../../../infra/gateway/unenforced.ts";

const parse = (...written: unknown[]) => {
  const { rules, problems } = parseEgressRules(written);
  expect(problems).toEqual([]);
  return rules;
};

test("whole hosts that pass through are one line", () => {
  expect(
    unenforcedLines(
      parse(
        { url: "https://a.example/*", inspect: "never" },
        "https://b.example/*",
        { url: "https://b.example/x/*", inspect: "never" },
        {
          url: "https://c.example/*",
          clientCredential: "deny",
        },
      ),
    ),
  ).toEqual([
    "not enforced for a.example, b.example: paths, methods, credentials: whoever holds an account there can send data out",
  ]);
});

test("an inspected host that takes anybody's account is named by its rule", () => {
  expect(unenforcedLines(parse("https://a.example/api/*"))).toEqual([
    expect.stringMatching(
      /^not enforced for https:\/\/a\.example\/api\/\*: credentials: whoever holds an account there can send data out;/,
    ),
  ]);
});

test.each([
  { url: "https://a.example/*", clientCredential: "deny" },
  {
    url: "https://a.example/api/*",
    credential: { header: "x-api-key", secret: "a" },
  },
])("where all is enforced there is nothing to say: %j", (written) => {
  expect(unenforcedLines(parse(written))).toEqual([]);
});

test("only what looks stronger than it is warns at the preview", () => {
  const found = unenforced(
    parse(
      { url: "https://a.example/api/*", inspect: "never" },
      { url: "https://*.b.example/*", wildcard: true },
      { url: "https://c.example/*", inspect: "never" },
      { url: "https://d.example/*", ech: "allow" },
      "https://e.example/*",
      "https://f.example/api/*",
    ),
  );
  expect(
    found.flatMap(({ index, option }) =>
      option === undefined ? [] : [`${String(index)} ${option}`],
    ),
  ).toEqual(["0 inspect", "1 wildcard", "3 ech"]);
  const textOf = (option: string) =>
    found.find((gap) => gap.option === option)?.text;
  expect(textOf("wildcard")).toContain("data can leave in them");
  expect(textOf("ech")).toContain("any other site of theirs");
});
