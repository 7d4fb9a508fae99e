import { expect, test } from "vitest";
import { parseEgressRules } from "../../../infra/gateway/rules.ts";
import {
  rulesHead,
  rulesMarkdown,
  rulesRows,
} from "../../../scripts/egress/rules-table.ts";

const { rules, problems } = parseEgressRules([
  "https://api.github.com/*",
  { url: "https://*.example.org/*", wildcard: true, ech: "allow" },
  {
    url: "https://openrouter.ai/api/v1/key",
    methods: ["GET", "HEAD"],
    credential: {
      header: "Authorization",
      scheme: "Bearer",
      secret: "openrouter",
    },
    clientCredential: "deny",
  },
  { url: "https://api.example.net/ws/*", upgrade: "websocket" },
]);

test("each rule is a row that says what it means", () => {
  expect(problems).toEqual([]);
  expect(rulesRows(rules)).toEqual([
    ["https://api.github.com/*", "splice", "unseen", "", "unseen", ""],
    [
      "https://*.example.org/*",
      ...["splice", "unseen", "", "unseen", "encrypted hello, any first label"],
    ],
    [
      "https://openrouter.ai/api/v1/key",
      ...["inspect", "GET, HEAD", "authorization Bearer (openrouter)", "deny"],
      "",
    ],
    [
      "https://api.example.net/ws/*",
      ...["inspect", "all", "", "pass", "websocket"],
    ],
  ]);
});

test("as Markdown every row has all cells", () => {
  const lines = rulesMarkdown(rules).split("\n");
  expect(lines).toHaveLength(2 + rules.length);
  for (const line of lines) {
    expect(line.split(" | ")).toHaveLength(rulesHead.length);
  }
});
