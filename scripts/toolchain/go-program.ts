/** Programs whose releases cannot be had everywhere: built from their published Go modules. */
import { execa } from "execa";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { cacheDirectory } from "../checkout.ts";
import { hasProgram } from "../host-tools.ts";

/**
 * Builds a program once, and keeps it by what its module's sums say.
 * @param source directory of a go.mod that names it, and a go.sum
 * @param path the program's import path
 * @returns where it is; undefined when there is no Go here
 */
export async function goProgram(
  source: string,
  path: string,
): Promise<string | undefined> {
  const sums = readFileSync(join(source, "go.sum"));
  const key = createHash("sha256").update(sums).digest("hex").slice(0, 16);
  const built = join(cacheDirectory, `${basename(path)}-${key}`);
  if (existsSync(built)) return built;
  if (!hasProgram("go")) return undefined;
  await mkdir(cacheDirectory, { recursive: true });
  // Two at once each build their own, and the later one takes the place.
  const own = `${built}.${String(process.pid)}`;
  await execa("go", ["build", "-mod=readonly", "-trimpath", "-o", own, path], {
    cwd: source,
    env: { CGO_ENABLED: "0" },
  });
  await execa("mv", ["-T", own, built]);
  return built;
}
