/** What `npm run mutations` applies goes on fitting the code. */
import { execa } from "execa";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { checkout } from "../../../scripts/checkout.ts";

const directory = join(checkout, "test/mutations");

test.each(readdirSync(directory))("%s applies", async (file) => {
  const { stderr } = await execa(
    "git",
    ["apply", "--check", join(directory, file)],
    { cwd: checkout, reject: false },
  );
  expect(stderr).toBe("");
});
