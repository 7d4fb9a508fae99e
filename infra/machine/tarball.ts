/**
 * A bundle as one archive: the same bytes for the same content, so that an
 * unchanged bundle is an unchanged machine.
 */
import { readFileSync, readdirSync } from "node:fs";
import { mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { create } from "tar";
import type { Bundle } from "./bundle.ts";

/** Directory of the install script and its parts. */
const installer = join(import.meta.dirname, "install");

/**
 * Packs a bundle: `install.sh` with its parts, what it reads (`bundle/…`), and below
 * `bundle/root` the files as they shall stand on the machine.
 */
export async function bundleTarball(bundle: Bundle): Promise<Uint8Array> {
  const directory = await mkdtemp(join(tmpdir(), "daytona-edge-bundle-"));
  try {
    const paths = new Map<
      string,
      { content: string | Uint8Array; mode: number }
    >([
      ...readdirSync(installer).map((file) => {
        const content = readFileSync(join(installer, file));
        return [file, { content, mode: 0o755 }] as const;
      }),
      ["bundle/name", { content: `${bundle.name}\n`, mode: 0o644 }],
      ["bundle/packages", { content: lines(bundle.packages), mode: 0o644 }],
      [
        "bundle/on-base-system",
        { content: bundle.onBaseSystem ? "yes\n" : "", mode: 0o644 },
      ],
      ["bundle/units", { content: lines(bundle.units), mode: 0o644 }],
      ["bundle/holders", { content: lines(bundle.holders ?? []), mode: 0o644 }],
      ["bundle/check", { content: `${bundle.check}\n`, mode: 0o644 }],
      ["bundle/undo", { content: bundle.undo ?? "", mode: 0o644 }],
      ["bundle/rules", { content: rulesLine(bundle.rules), mode: 0o644 }],
      ["bundle/ports", { content: lines(bundle.ports), mode: 0o644 }],
      ["bundle/health", { content: bundle.health ?? "", mode: 0o644 }],
      [
        "bundle/sandboxes",
        { content: lines(bundle.sandboxes ?? []), mode: 0o644 },
      ],
      ["bundle/clock", { content: bundle.clock ?? "", mode: 0o644 }],
      [
        "bundle/modes",
        { content: lines(bundle.files.map(modeLine)), mode: 0o644 },
      ],
      ...bundle.files.map((file) => [`bundle/root${file.path}`, file] as const),
    ]);
    for (const [path, { content, mode }] of paths) {
      const target = join(directory, path);
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, content, { mode });
      await utimes(target, 0, 0);
    }
    const archive = create(
      {
        cwd: directory,
        portable: true,
        noDirRecurse: true,
        mtime: new Date(0),
      },
      [...paths.keys()].sort(),
    );
    const chunks: Buffer[] = [];
    for await (const chunk of archive)
      chunks.push(Buffer.from(chunk as Uint8Array));
    return gzipSync(Buffer.concat(chunks), { level: 9 });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function rulesLine(rules: Bundle["rules"]): string {
  return rules ? `${rules.unit ?? "-"} ${rules.differences}\n` : "";
}

/** Permissions do not all survive an archive; they travel as text. */
function modeLine(file: Bundle["files"][number]): string {
  return `${file.mode.toString(8)} ${file.path}`;
}

function lines(values: readonly string[]): string {
  return values.map((value) => `${value}\n`).join("");
}
