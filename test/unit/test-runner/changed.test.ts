import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  allFiles,
  changedFiles,
  touchedSuites,
} from "../../../scripts/test/changed.ts";

/** A small checkout. */
const checkout: Readonly<Record<string, string>> = {
  "package.json": "{}",
  "README.md": "",
  "scripts/start.ts": `const deploy = "deploy.ts";`,
  "scripts/deploy.ts": `import program from "../infra/index.ts";`,
  "scripts/lab/main.ts": "",
  "infra/index.ts": `import "./edge/bundle.ts"; import "./gateway/bundle.ts";`,
  "infra/edge/bundle.ts": `files("maps");`,
  "infra/edge/haproxy.cfg": "",
  "infra/gateway/bundle.ts": `import { rules } from "./rules.ts";`,
  "infra/gateway/rules.ts": "",
  "policies/index.ts": "",
  "docs/page.md": "",
  "test/unit/rules.test.ts": `import { rules } from "../../infra/gateway/rules.ts";`,
  "test/unit/readme.test.ts": `read("README.md");`,
  "test/unit/policies.test.ts": `pack("policies");`,
  "test/e2e/edge.test.ts": `/** @module-tag edge */ run("fixtures/client.ts");`,
  "test/e2e/gateway.test.ts": "/** @module-tag gateway */",
  "test/e2e/whole.test.ts": "",
  "test/e2e/fixtures/client.ts": "",
};
const touched = (...changed: string[]) =>
  touchedSuites(
    Object.keys(checkout),
    changed,
    (file) => checkout[file] ?? "",
  ).map((suite) => suite.replace(/^test\/|\.test\.ts$/g, ""));

describe("suites that a change touches", () => {
  test.each([
    [
      "a module that a suite imports",
      "infra/gateway/rules.ts",
      ["e2e/gateway", "e2e/whole", "unit/rules"],
    ],
    [
      "a file in the folder of a module",
      "infra/edge/haproxy.cfg",
      ["e2e/edge", "e2e/whole"],
    ],
    ["a new file there", "infra/edge/new.map", ["e2e/edge", "e2e/whole"]],
    [
      "a program that is started by its path",
      "test/e2e/fixtures/client.ts",
      ["e2e/edge"],
    ],
    [
      "what starts a lab",
      "scripts/deploy.ts",
      ["e2e/edge", "e2e/gateway", "e2e/whole"],
    ],
    ["a file that is named", "README.md", ["unit/readme"]],
    [
      "a file of a folder that is named",
      "policies/index.ts",
      ["unit/policies"],
    ],
    ["a suite itself", "test/unit/rules.test.ts", ["unit/rules"]],
    ["a file that nobody names", "docs/page.md", []],
  ])("%s", (_, changed, suites) => {
    expect(touched(changed)).toEqual(suites);
  });

  test("all, when what all stand on has changed", () => {
    expect(touched("package.json")).toHaveLength(6);
  });

  test("of several files, the suites of each", () => {
    expect(touched("README.md", "test/e2e/fixtures/client.ts")).toEqual([
      "e2e/edge",
      "unit/readme",
    ]);
  });

  test("in this checkout: the gateway's rules are no matter of the edge's suites", async () => {
    const suites = touchedSuites(await allFiles(), ["infra/gateway/rules.ts"]);
    expect(suites).toEqual(
      expect.arrayContaining([
        "test/e2e/gateway.test.ts",
        "test/e2e/doctor.test.ts",
        "test/unit/gateway/rules.test.ts",
      ]),
    );
    expect(suites).not.toContain("test/e2e/signed.test.ts");
    expect(suites).not.toContain("test/unit/edge/certificate.test.ts");
  });
});

test("git is asked for what differs, new files too", async () => {
  const name = `new-${crypto.randomUUID()}.txt`;
  const file = join(import.meta.dirname, name);
  writeFileSync(file, "");
  try {
    expect(await changedFiles("HEAD")).toContain(
      `test/unit/test-runner/${name}`,
    );
  } finally {
    rmSync(file);
  }
  // The commit before the first is the empty tree: all files differ from it.
  const emptyTree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
  expect(await changedFiles(emptyTree)).toContain("package.json");
});

test("a commit that git does not know is named", async () => {
  await expect(changedFiles("no-such-commit")).rejects.toThrow(
    /^--changed no-such-commit: git cannot compare with it \(fatal: bad revision/,
  );
});
