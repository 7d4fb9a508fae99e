import { execa } from "execa";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import {
  changedStackFile,
  fileDiff,
  writtenRules,
} from "../../../scripts/egress/stack-file.ts";

const file = `# Top.
config:
  daytona-edge:egress:
    # What sandboxes may call.
    allow:
      - https://api.github.com/*   # zen
      # About the next.
      - url: https://openrouter.ai/status
        methods:
          - GET # read
    # Behind the list.
  daytona-edge:gateway:
    sandboxes: { interfaces: [docker0], networks: [172.17.0.0/16] }
`;
const added = [
  "https://example.org/*",
  { url: "https://openrouter.ai/x/*", methods: ["GET", "POST"] },
];

const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) {
    rmSync(directory, { recursive: true });
  }
});

test("the diff is the change and nothing else, and can be applied", async () => {
  const after = changedStackFile(file, {
    added,
    methods: new Map([[1, ["HEAD", "PUT"]]]),
  });
  const diff = await fileDiff("Pulumi.dev.yaml", file, after);
  expect(diff.split("\n").filter((line) => /^[-+]/.test(line))).toEqual([
    "--- a/Pulumi.dev.yaml",
    "+++ b/Pulumi.dev.yaml",
    "+          - HEAD",
    "+          - PUT",
    "+      - https://example.org/*",
    "+      - url: https://openrouter.ai/x/*",
    "+        methods: [GET, POST]",
  ]);
  const directory = mkdtempSync(join(tmpdir(), "daytona-edge-apply-"));
  directories.push(directory);
  const path = join(directory, "Pulumi.dev.yaml");
  writeFileSync(path, file);
  await execa("git", ["apply"], { cwd: directory, input: `${diff}\n` });
  expect(readFileSync(path, "utf8")).toBe(after);
});

test("no change is no diff", async () => {
  const after = changedStackFile(file, { added: [], methods: new Map() });
  expect(after).toBe(file);
  expect(await fileDiff("Pulumi.dev.yaml", file, after)).toBe("");
});

const of = (allow: string) =>
  `config:\n  daytona-edge:egress:\n    allow:${allow}`;

test.each([
  ["an empty list", " []\n", ` ["https://example.org/*"]\n`],
  [
    "a list in one line",
    " [https://a.example/*]\n",
    ` [https://a.example/*, "https://example.org/*"]\n`,
  ],
  [
    "a list with a comma at its end",
    " [\n      https://a.example/*,\n    ]\n",
    ` [\n      https://a.example/*, "https://example.org/*",\n    ]\n`,
  ],
  [
    "a file without a last line's end",
    "\n    - https://a.example/*",
    "\n    - https://a.example/*\n    - https://example.org/*\n",
  ],
])("%s", (_, before, after) => {
  const change = { added: ["https://example.org/*"], methods: new Map() };
  expect(changedStackFile(of(before), change)).toBe(of(after));
});

test("a file that a change cannot be put in is left alone, and said to be", () => {
  const change = { added: ["https://example.org/*"], methods: new Map() };
  expect(() => changedStackFile("config: {}\n", change)).toThrow(
    "no list egress.allow",
  );
  const anchored = of("\n    - &a https://a.example/*\n    - *a\n");
  expect(() =>
    changedStackFile(anchored, { added: [], methods: new Map([[0, ["GET"]]]) }),
  ).toThrow("no list of methods");
});

test("the rules of a file", () => {
  expect(writtenRules(file)).toEqual([
    "https://api.github.com/*",
    { url: "https://openrouter.ai/status", methods: ["GET"] },
  ]);
  expect(writtenRules("config: {}\n")).toEqual([]);
});
