/**
 * A bench's container: the image, a network of nothing but itself, the bundle
 * under test, and a driver that measures and prints what it found.
 */
import { execa } from "execa";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Bundle } from "../../infra/machine/bundle.ts";
import { installPackages, missingPackages } from "../host-tools.ts";
import { LabError } from "../lab/command.ts";
import { bundleProgram } from "../lab/programs.ts";
import { step } from "../progress.ts";
import { ensureRoot } from "../root.ts";
import { ensureBenchImage } from "./image.ts";

export interface BenchArgs {
  /** Folder beside this file, with `driver.ts` and `files/`. */
  readonly folder: "edge" | "gateway";
  /** What is under test; its files lie below /bench/machine. */
  readonly bundle: Bundle;
  /** Programs of the folder that the driver starts, without `.ts`. */
  readonly programs: readonly string[];
  readonly quick: boolean;
}

/**
 * Runs a bench to its end.
 * @returns what its driver printed as results
 * @throws LabError with what the driver said when it found none
 */
export async function runBench<Results>(args: BenchArgs): Promise<Results> {
  ensureRoot();
  await installPackages(missingPackages());
  const image = await step("Debian 13 with the contenders", ensureBenchImage);
  const directory = mkdtempSync(join(tmpdir(), "daytona-edge-bench-"));
  try {
    await layBench(directory, args);
    return await step("measure", (report) =>
      measure<Results>(image, directory, args.quick, report),
    );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** What the container needs: the machine's own files, the bench's, the programs. */
async function layBench(directory: string, args: BenchArgs): Promise<void> {
  for (const { path, content, mode } of args.bundle.files) {
    const target = join(directory, "machine", path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, content, { mode });
  }
  const folder = join(import.meta.dirname, args.folder);
  cpSync(join(folder, "files"), join(directory, "files"), { recursive: true });
  for (const program of ["driver", ...args.programs]) {
    writeFileSync(
      join(directory, `${program}.cjs`),
      await bundleProgram(`../bench/${args.folder}/${program}.ts`),
    );
  }
}

async function measure<Results>(
  image: string,
  directory: string,
  quick: boolean,
  report: (text: string) => void,
): Promise<Results> {
  const container = execa(
    "unshare",
    [
      ...["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"],
      ...["systemd-nspawn", "--quiet", "--register=no", "--keep-unit"],
      ...["--volatile=overlay", "--private-network", "--pipe"],
      ...[`--directory=${image}`, `--bind-ro=${directory}:/bench`],
      ...(quick ? ["--setenv=BENCH_QUICK=1"] : []),
      ...["node", "/bench/driver.cjs"],
    ],
    { reject: false, buffer: { stdout: false } },
  );
  let results: Results | undefined;
  for await (const line of container.iterable()) {
    if (!line.startsWith("{")) continue;
    const said = JSON.parse(line) as { progress?: string; results?: Results };
    if (said.progress !== undefined) report(said.progress);
    results = said.results ?? results;
  }
  const { stderr } = await container;
  if (results === undefined) {
    throw new LabError(`The bench could not be measured.\n${stderr}`);
  }
  return results;
}
