import { buildSync } from "esbuild";

/** A stack has several bundles with the same programs. */
const built = new Map<string, Uint8Array>();

/**
 * A program as one file; built once in a process.
 * @param entry absolute path of its TypeScript
 * @param target what runs it; Debian 13's own is Node 20
 */
export function bundledProgram(
  entry: string,
  target: "node20" | "node24" = "node20",
): Uint8Array {
  const key = `${target} ${entry}`;
  const contents = built.get(key) ?? build(entry, target);
  built.set(key, contents);
  return contents;
}

function build(entry: string, target: string): Uint8Array {
  const { outputFiles } = buildSync({
    entryPoints: [entry],
    bundle: true,
    write: false,
    minify: true,
    platform: "node",
    target,
    format: "cjs",
    // Of a package's two kinds the one that unused parts can be left out of.
    mainFields: ["module", "main"],
    logLevel: "warning",
  });
  const file = outputFiles[0];
  if (!file) throw new Error(`esbuild wrote nothing for ${entry}`);
  return file.contents;
}
