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
    // It goes to a sandbox as one argument, of 128 KiB at most.
    minify: true,
    platform: "node",
    target: "node20",
    format: "esm",
    // Packages of the older kind ask for Node's own modules by this.
    banner: {
      js: 'import { createRequire } from "node:module"; const require = createRequire("/");',
    },
    // Optional native speed-ups of ws.
    external: ["bufferutil", "utf-8-validate"],
  });
  return outputFiles[0]?.text ?? "";
}
