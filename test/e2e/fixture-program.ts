import { buildSync } from "esbuild";
import { join } from "node:path";

/**
 * One of the fixtures as one file for Debian 13's own Node 20.
 * @param fixture name of a file in fixtures/
 */
export function fixtureProgram(fixture: string): string {
  const { outputFiles } = buildSync({
    entryPoints: [join(import.meta.dirname, "fixtures", fixture)],
    bundle: true,
    write: false,
    platform: "node",
    target: "node20",
    format: "esm",
  });
  return outputFiles[0]?.text ?? "";
}
