/** The client's package, as README has it made and installed elsewhere. */
import { execa } from "execa";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checkout } from "../../../scripts/checkout.ts";

let project: string;
beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), "daytona-edge-client-"));
  await writeFile(join(project, "package.json"), '{ "type": "module" }');
  const args = ["pack", "./client", "--pack-destination", project];
  await execa("npm", args, { cwd: checkout });
  await run("npm", "install", "--offline", "./daytona-edge-0.1.0.tgz");
});
afterAll(() => rm(project, { recursive: true }));

const run = (program: string, ...args: string[]) =>
  execa(program, args, { cwd: project, preferLocal: true, localDir: checkout });

test("plain Node runs it", async () => {
  const script = `import { SandboxError } from "daytona-edge/client"; console.log(SandboxError.name)`;
  const { stdout } = await run(
    process.execPath,
    "--input-type=module",
    "--eval",
    script,
  );
  expect(stdout).toBe("SandboxError");
});

test("TypeScript knows its types, with nothing allowed for it", async () => {
  const call = (
    path: string,
  ) => `import { type StackOutputs, sandboxFetch } from "daytona-edge/client";
export const ask = (outputs: StackOutputs): Promise<Response> =>
  sandboxFetch(outputs, { sandbox: "", port: 3000, path: ${path} });
`;
  await writeFile(join(project, "right.ts"), call('"/"'));
  await writeFile(join(project, "wrong.ts"), call("3000"));
  const options =
    "--noEmit --strict --target es2024 --module esnext --moduleResolution bundler";
  const { stdout } = await execa({
    cwd: project,
    preferLocal: true,
    localDir: checkout,
    reject: false,
  })("tsc", [...options.split(" "), "right.ts", "wrong.ts"]);
  expect(stdout.split("\n")).toEqual([
    expect.stringMatching(/^wrong\.ts.* TS2322: /),
  ]);
});
