import { buildSync } from "esbuild";

/**
 * An agent as one file for Debian 13's own Node 20.
 * @param entry absolute path of its TypeScript
 */
export function agentProgram(entry: string): Uint8Array {
  const { outputFiles } = buildSync({
    entryPoints: [entry],
    bundle: true,
    write: false,
    minify: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    logLevel: "warning",
  });
  const file = outputFiles[0];
  if (!file) throw new Error(`esbuild wrote nothing for ${entry}`);
  return file.contents;
}
