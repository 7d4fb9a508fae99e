/** Few path patterns for many paths. */
import { parseUrlPattern } from "../../infra/gateway/rule-url.ts";

/** More paths than these, in one directory, become that directory. */
const few = 4;

/** The gateway's rows hold no more of a path; what is so long may go on. */
const rowLimit = 1024;

/**
 * Paths as rules may write them: each exactly, or the longest directory that
 * many have in common, with a `/*`; never the whole host.
 * @returns pattern by path; a path that no rule can write has none
 */
export function pathPatterns(paths: readonly string[]): Map<string, string> {
  const directories = [
    ...directoriesOfMany(paths),
    ...paths.filter((path) => !isExact(path)).flatMap(nearestDirectory),
  ].sort((a, b) => a.length - b.length);
  return new Map(
    paths.flatMap((path) => {
      const directory = directories.find((start) => path.startsWith(start));
      if (directory !== undefined) return [[path, `${directory}*`] as const];
      return isExact(path) ? [[path, path] as const] : [];
    }),
  );
}

function directoriesOfMany(paths: readonly string[]): string[] {
  if (paths.length <= few) return [];
  const common = commonDirectory(paths);
  if (common !== "/") return isWritable(`${common}*`) ? [common] : [];
  const firsts = new Map<string, string[]>();
  for (const path of paths) {
    const [first] = /^\/[^/]*\//.exec(path) ?? [];
    if (first === undefined) continue;
    firsts.set(first, [...(firsts.get(first) ?? []), path]);
  }
  return [...firsts.values()].flatMap(directoriesOfMany);
}

function commonDirectory(paths: readonly string[]): string {
  const [first = "/", ...others] = paths;
  let end = first.lastIndexOf("/") + 1;
  while (!others.every((path) => path.startsWith(first.slice(0, end)))) {
    end = first.lastIndexOf("/", end - 2) + 1;
  }
  return first.slice(0, end);
}

/** The directory around a path that itself cannot be written. */
function nearestDirectory(path: string): string[] {
  for (
    let end = path.lastIndexOf("/");
    end > 0;
    end = path.lastIndexOf("/", end - 1)
  ) {
    const directory = path.slice(0, end + 1);
    if (isWritable(`${directory}*`)) return [directory];
  }
  return [];
}

const isExact = (path: string) => path.length < rowLimit && isWritable(path);

/** Whether a rule's URL may hold it. */
function isWritable(pattern: string): boolean {
  return (
    typeof parseUrlPattern(`https://x.example${pattern}`, false) === "object"
  );
}
