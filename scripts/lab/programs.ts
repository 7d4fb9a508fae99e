import { build } from "esbuild";
import { join } from "node:path";

/**
 * Bundles one of the lab's programs into one file for Debian 13's own Node 20.
 * @param entry path below scripts/lab
 */
export async function bundleProgram(entry: string): Promise<Uint8Array> {
  const result = await build({
    entryPoints: [join(import.meta.dirname, entry)],
    bundle: true,
    write: false,
    platform: "node",
    target: "node20",
    format: "cjs",
    // Optional native speed-ups of ws.
    external: ["bufferutil", "utf-8-validate"],
    logLevel: "warning",
  });
  const file = result.outputFiles[0];
  if (!file) throw new Error(`esbuild wrote nothing for ${entry}`);
  return file.contents;
}
