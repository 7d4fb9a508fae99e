/**
 * Which suites a change touches. A file counts for every file that names it: by
 * an import, or by any other string, for much here is started or read by its
 * path. A file that is no module counts for the modules of its folder too, which
 * may read the folder as a whole.
 */
import { execa } from "execa";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { checkout } from "../checkout.ts";
import { LabError } from "../lab/command.ts";
import { parts } from "./parts.ts";

/** What every suite stands on. */
const everything =
  /^(package(-lock)?\.json|tsconfig\.json|vitest\.config\.ts|scripts\/(setup\.mjs|test\/.*)|test\/[^/]+\.ts)$/;

/** What a lab is started by. */
const labRoots = ["scripts/start.ts", "scripts/lab/main.ts"];

/**
 * Files that differ from a commit in the working tree, new ones too.
 * @throws LabError when git does not know the commit
 */
export async function changedFiles(since: string): Promise<string[]> {
  const git = (...args: string[]) =>
    execa("git", args, { cwd: checkout, reject: false });
  const answers = await Promise.all([
    git("diff", "--name-only", "--no-renames", "-z", since, "--"),
    git("ls-files", "--others", "--exclude-standard", "-z"),
  ]);
  for (const { exitCode, stderr } of answers) {
    if (exitCode === 0) continue;
    throw new LabError(
      `--changed ${since}: git cannot compare with it (${stderr.split("\n")[0] ?? ""}); name a commit or branch of this checkout`,
    );
  }
  return answers.flatMap(({ stdout }) => stdout.split("\0")).filter(Boolean);
}

/** All files of the checkout that git tracks or would. */
export async function allFiles(): Promise<string[]> {
  const { stdout } = await execa(
    "git",
    ["ls-files", "--cached", "--others", "--exclude-standard", "-z"],
    { cwd: checkout },
  );
  return [...new Set(stdout.split("\0").filter(Boolean))];
}

/**
 * Suites that stand on one of the changed files.
 * @param files all of the checkout's, by their paths in it
 * @param read the content of one of them; "" for one that is gone
 */
export function touchedSuites(
  files: readonly string[],
  changed: readonly string[],
  read: (file: string) => string = readFile,
): string[] {
  const suites = files.filter((file) => file.endsWith(".test.ts")).sort();
  if (changed.some((file) => everything.test(file))) return suites;
  const named = names([...files, ...changed], read);
  return suites.filter((suite) => {
    const roots = suite.startsWith("test/e2e/") ? labRoots : [];
    const stands = closure([suite, ...roots], named, partsOf(read(suite)));
    const folders = new Set(
      [...stands].filter(isModule).map((file) => dirname(file)),
    );
    return changed.some(
      (file) =>
        stands.has(file) || (!isModule(file) && folders.has(dirname(file))),
    );
  });
}

/** Which files count for a suite, by its text. */
function partsOf(suite: string): (file: string) => boolean {
  const tags = [...suite.matchAll(/@module-tag ([a-z]+)/g)]
    .map(([, tag = ""]) => tag)
    .filter((tag) => tag in parts);
  if (tags.length === 0) return () => true;
  const others = Object.entries(parts)
    .filter(([part]) => !tags.includes(part))
    .map(([, { folder }]) => folder);
  return (file) => !others.some((folder) => file.startsWith(folder));
}

/** All files that a few stand on, themselves too. */
function closure(
  roots: readonly string[],
  named: (file: string) => readonly string[],
  counts: (file: string) => boolean,
): Set<string> {
  const found = new Set<string>(roots);
  for (const file of found) {
    for (const next of named(file).filter(counts)) found.add(next);
  }
  return found;
}

/**
 * What each file names: a word names every file whose path ends with it, a
 * quoted one that is a folder's whole path all that is in there.
 */
function names(
  files: readonly string[],
  read: (file: string) => string,
): (file: string) => readonly string[] {
  const all = new Set(files);
  const byLastWord = Map.groupBy(all, lastWord);
  const byFolder = Map.groupBy(all, dirname);
  const known = new Map<string, readonly string[]>();
  const look = (file: string): readonly string[] => {
    if (!/\.(ts|mjs|js|sh)$/.test(file)) return [];
    const text = read(file);
    const words = text.match(/[\w@.+-]*(\/[\w@.+-]+)*\.[\w-]+/g) ?? [];
    const quoted = text.match(/(?<=")[\w/-]+(?=")/g) ?? [];
    const folders = quoted.flatMap((word) => byFolder.get(word) ?? []);
    const found = [...new Set(words)].flatMap((word) => {
      const candidates = byLastWord.get(lastWord(word)) ?? [];
      if (/^\.\.?\//.test(word)) {
        const target = join(dirname(file), word);
        if (candidates.includes(target)) return [target];
      }
      const path = word.replace(/^(\.\.?\/)+/, "");
      return candidates.filter((candidate) =>
        `/${candidate}`.endsWith(`/${path}`),
      );
    });
    return [...folders, ...found];
  };
  return (file) => {
    const found = known.get(file) ?? look(file);
    known.set(file, found);
    return found;
  };
}

const lastWord = (path: string) => path.slice(path.lastIndexOf("/") + 1);
const isModule = (file: string) => file.endsWith(".ts");

function readFile(file: string): string {
  try {
    return readFileSync(join(checkout, file), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}
