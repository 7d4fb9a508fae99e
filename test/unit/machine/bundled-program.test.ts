import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { checkout } from "../../../scripts/checkout.ts";

// Always the same, so that each run writes over what the last one kept.
const directory = join(checkout, "node_modules/.cache/daytona-edge-test");
const entry = join(directory, "entry.ts");
const part = join(directory, "part.ts");

beforeEach(() => mkdirSync(directory, { recursive: true }));
afterEach(() => {
  rmSync(directory, { recursive: true });
});

/** As a process does that has built nothing yet. */
let processes = 0;
async function bundled(): Promise<string> {
  const file = `../../../infra/machine/bundled-program.ts?${String(processes++)}`;
  const { bundledProgram } = (await import(
    file
  )) as typeof import("../../../infra/machine/bundled-program.ts");
  return Buffer.from(bundledProgram(entry)).toString();
}

it("is built again when a file that it was made of is another", async () => {
  writeFileSync(entry, 'import { word } from "./part.ts";\nconsole.log(word);');
  writeFileSync(part, 'export const word = "one";');
  const first = await bundled();
  expect(first).toContain("one");
  expect(await bundled()).toBe(first);
  writeFileSync(part, 'export const word = "two";');
  expect(await bundled()).toContain("two");
});
