import { execFile } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../temporary.ts";

const program = join(import.meta.dirname, "../../../infra/certificate/main.ts");

interface Outcome {
  readonly code: number | string | null | undefined;
  readonly stderr: string;
}

/** The command with options that would be right, and `options` instead. */
async function run(
  options: Record<string, string>,
  environment: NodeJS.ProcessEnv = {},
): Promise<Outcome> {
  const directory = await temporaryDirectory();
  const given = {
    names: "*.example.net",
    directory: "https://127.0.0.1:1/directory",
    store: join(directory, "store"),
    account: join(directory, "account"),
    zone: "zone",
    ...options,
  };
  const args = Object.entries(given).flatMap(([name, value]) => [
    `--${name}`,
    value.replace("DIRECTORY", directory),
  ]);
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [program, "issue", ...args],
      { env: environment },
      (error, _, stderr) => {
        resolve({ code: error?.code, stderr });
      },
    );
  });
}

test.each(["DIRECTORY/store", "DIRECTORY/store/account"])(
  "refuses to keep the account's key where machines read: %s",
  async (account) => {
    const { code, stderr } = await run({ account });
    expect(code).toBe(1);
    expect(stderr).toMatch(/the account's key must not, so choose another/);
  },
);

test.each([
  ["names", "*.Example.net", '"*.Example.net" is not a lower-case DNS name'],
  // The account's key would sign for whoever answers.
  ["directory", "http://127.0.0.1:1/directory", "Give an https URL"],
  // The token would be read by whoever is on the way.
  ["cloudflare-base-url", "http://127.0.0.1:1/v4", "Give an https URL"],
])("says what is wrong with an option: %s", async (name, value, words) => {
  const { code, stderr } = await run({ [name]: value });
  expect(code).toBe(1);
  expect(stderr).toContain(words);
});

test("does not start without a token", async () => {
  const { code, stderr } = await run({});
  expect(code).toBe(1);
  expect(stderr).toBe(
    "certificate: CLOUDFLARE_API_TOKEN is not set; it must hold a Cloudflare API token with Zone / DNS / Edit on the zone\n",
  );
});
