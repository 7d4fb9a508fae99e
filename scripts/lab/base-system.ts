/**
 * The base system's archive, as an operator would keep one: made once, of the
 * packages that a server would download, and kept in the cache.
 */
import { createHash } from "node:crypto";
import { createReadStream, readFileSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { baseSystemPackages } from "../../infra/machine/base-system/bundle.ts";
import { cacheDirectory, checkout } from "../checkout.ts";
import { run } from "./command.ts";
import { ensureStaged } from "./staged.ts";

export interface BaseSystemFile {
  readonly file: string;
  readonly sha256: string;
}

const finish = join(checkout, "infra/machine/base-system/finish.sh");

/** Where this checkout's archive is, whether it is made yet or not. */
function directoryOf(): string {
  const hash = createHash("sha256")
    .update(baseSystemPackages.join())
    .update(readFileSync(finish))
    .digest("hex");
  return join(cacheDirectory, `base-system-${hash.slice(0, 16)}`);
}

/** The archive that is in the cache. @throws Error when none is */
export function baseSystemFile(): BaseSystemFile {
  const directory = directoryOf();
  return {
    file: join(directory, "tree.tar"),
    sha256: readFileSync(join(directory, "sha256"), "utf8"),
  };
}

/** Makes the archive unless the cache has it. @throws LabError when it cannot be made */
export async function ensureBaseSystem(): Promise<void> {
  await ensureStaged(directoryOf(), async (staging) => {
    await mkdir(staging, { recursive: true });
    const tree = join(staging, "tree");
    await run([
      "mmdebstrap",
      "--variant=extract",
      `--include=${baseSystemPackages.join(",")}`,
      "trixie",
      tree,
    ]);
    await run([finish, tree]);
    const file = join(staging, "tree.tar");
    await run(["tar", "-c", "-C", tree, "-f", file, "."]);
    await rm(tree, { recursive: true });
    const hash = createHash("sha256");
    await pipeline(createReadStream(file), hash);
    await writeFile(join(staging, "sha256"), hash.digest("hex"));
  });
}
