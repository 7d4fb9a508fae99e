import { type BuildResult, buildSync, version } from "esbuild";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const checkout = join(import.meta.dirname, "../..");
const cache = join(checkout, "node_modules/.cache/daytona-edge");

/** A stack has several bundles with the same programs. */
const built = new Map<string, Uint8Array>();

/**
 * A program as one file. It is kept in node_modules, and built again when a
 * file that it was made of, a dependency or esbuild is another.
 * @param entry absolute path of its TypeScript
 * @param target what runs it; Debian 13's own is Node 20
 */
export function bundledProgram(
  entry: string,
  target: "node20" | "node24" = "node20",
): Uint8Array {
  const key = `${target} ${entry}`;
  const contents = built.get(key) ?? keptOrBuilt(entry, target);
  built.set(key, contents);
  return contents;
}

interface Kept {
  /** esbuild's version, and the digests of the dependencies' versions and of package.json. */
  readonly by: string;
  /** SHA-256 of each file that it was made of, by its path in the checkout. */
  readonly inputs: Readonly<Record<string, string>>;
  readonly base64: string;
}

function keptOrBuilt(entry: string, target: string): Uint8Array {
  const settings = ["package-lock.json", "package.json"].map((file) =>
    digestOf(join(checkout, file)),
  );
  const by = [version, ...settings].join(" ");
  const file = join(cache, `${digest(`${target} ${entry}`)}.json`);
  const kept = read(file);
  if (kept?.by === by) return Buffer.from(kept.base64, "base64");

  const { outputFiles, metafile } = build(entry, target);
  const contents = outputFiles[0]?.contents;
  if (!contents) throw new Error(`esbuild wrote nothing for ${entry}`);
  keep(file, {
    by,
    inputs: Object.fromEntries(
      Object.keys(metafile.inputs).map((path) => [
        path,
        digestOf(join(checkout, path)),
      ]),
    ),
    base64: Buffer.from(contents).toString("base64"),
  });
  return contents;
}

function build(
  entry: string,
  target: string,
): BuildResult<{ write: false; metafile: true }> {
  return buildSync({
    absWorkingDir: checkout,
    entryPoints: [entry],
    bundle: true,
    write: false,
    metafile: true,
    minify: true,
    platform: "node",
    target,
    format: "cjs",
    // Of a package's two kinds the one that unused parts can be left out of.
    mainFields: ["module", "main"],
    logLevel: "warning",
  });
}

/** @returns undefined when there is none, or it is out of date */
function read(file: string): Kept | undefined {
  try {
    const kept = JSON.parse(readFileSync(file, "utf8")) as Kept;
    const same = Object.entries(kept.inputs).every(
      ([path, sha256]) => digestOf(join(checkout, path)) === sha256,
    );
    return same ? kept : undefined;
  } catch {
    return undefined;
  }
}

function keep(file: string, kept: Kept): void {
  const own = `${file}.${String(process.pid)}`;
  try {
    mkdirSync(cache, { recursive: true });
    writeFileSync(own, JSON.stringify(kept));
    renameSync(own, file);
  } catch {
    // A checkout that cannot be written to: all works, and is slower.
  }
}

const digestOf = (path: string) => digest(readFileSync(path));
const digest = (content: string | Uint8Array) =>
  createHash("sha256").update(content).digest("hex");
