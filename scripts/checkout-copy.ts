import { execa } from "execa";
import { existsSync } from "node:fs";
import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { checkout } from "./checkout.ts";
import { allFiles } from "./test/changed.ts";

/**
 * A second checkout: what git knows or would add, as it stands in the working
 * tree, and this one's packages.
 * @param copy an empty directory
 */
export async function copyCheckout(copy: string): Promise<void> {
  const files = (await allFiles()).filter((file) =>
    existsSync(join(checkout, file)),
  );
  await execa("cp", ["--parents", "-t", copy, "--", ...files], {
    cwd: checkout,
  });
  await symlink(join(checkout, "node_modules"), join(copy, "node_modules"));
}
