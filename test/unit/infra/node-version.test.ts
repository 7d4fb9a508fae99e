/** What a Node that is too old says, in place of a stack trace. */
import { execa } from "execa";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { checkout } from "../../../scripts/checkout.ts";

/** A Node that says it is another, and reads no TypeScript, as those do. */
async function start(file: string, version: string) {
  const older = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "${version}" } })`;
  const { stdout } = await execa(process.execPath, [
    "--no-experimental-strip-types",
    `--import=data:text/javascript,${encodeURIComponent(older)}`,
    ...["--input-type=module", "--eval"],
    `const { default: program } = await import(${JSON.stringify(join(checkout, file))});
     await program().catch((error) => console.log(error.constructor.name, error.message));`,
  ]);
  return stdout;
}

describe.each(["infra/main.mjs", "infra/ci/main.mjs"])("%s", (file) => {
  test.each(["20.19.4", "22.23.5"])("Node %s", async (version) => {
    const said = await start(file, version);
    expect(said).toContain(`RunError Node.js ${version} runs Pulumi's program`);
    expect(said).toContain("  npm ci\n");
    expect(said).toContain('  export PATH="$PWD/node_modules/.bin:$PATH"');
  });

  // It comes to the program, which such a Node cannot read.
  test("Node 24 is let through", async () => {
    expect(await start(file, "24.0.0")).toContain('extension ".ts"');
  });
});
