import { expect, test } from "vitest";
import {
  changedKeys,
  hasUnknown,
} from "../../../scripts/toolchain/providers/properties.ts";
import { diagnostics } from "../../../scripts/toolchain/stack.ts";

test("of a failed run the user reads the diagnostics", () => {
  expect(
    diagnostics([
      "Updating (local):",
      " +  pulumi:pulumi:Stack creating",
      "Diagnostics:",
      "  command:local:Command (x):",
      "    error: exit status 1",
      "Outputs:",
      "    a: 1",
      "Resources:",
    ]),
  ).toBe("  command:local:Command (x):\n    error: exit status 1");
});

test("of a run that a policy stopped, the policy's words as well", () => {
  expect(
    diagnostics([
      "Previewing update (local):",
      "Policies:",
      "    - [mandatory]  some-policy",
      "Diagnostics:",
      "    error: preview failed",
      "Resources:",
    ]),
  ).toBe("    - [mandatory]  some-policy\n    error: preview failed");
});

test("without diagnostics, the end of what was said", () => {
  expect(diagnostics(["error: no such stack"])).toBe("error: no such stack");
});

test("changedKeys compares by value and leaves the engine's own keys alone", () => {
  expect(
    changedKeys(
      { a: 1, b: { c: [1] }, gone: 1, __defaults: [] },
      { a: 1, b: { c: [2] }, come: 1, __defaults: ["x"] },
    ),
  ).toEqual(["b", "come", "gone"]);
});

test("hasUnknown looks into everything", () => {
  const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
  expect(hasUnknown({ a: [{ b: unknown }] })).toBe(true);
  expect(hasUnknown({ a: [{ b: "known" }] })).toBe(false);
});
