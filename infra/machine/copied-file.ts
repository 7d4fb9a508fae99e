/** A file that stands on the machine as it stands in the project. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { BundleFile } from "./bundle.ts";

/** @param directory where the files are that it copies */
export function copiedFrom(
  directory: string,
): (source: string, path: string, mode?: number) => BundleFile {
  return (source, path, mode = 0o644) => {
    const content = readFileSync(join(directory, source));
    return { path, content, mode };
  };
}
