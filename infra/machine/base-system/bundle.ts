/**
 * The base system: a Debian 13 tree of ours on a server, from which the bundles'
 * programs run whatever the server is. The files beside this one are the files
 * on the server; here is only which of them goes where.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Bundle } from "../bundle.ts";
import { copiedFrom } from "../copied-file.ts";
import * as places from "../places.ts";

const copy = copiedFrom(import.meta.dirname);

const etc = places.etc("base-system");
const timer = "daytona-base-system.timer";
const lib = `${places.lib}/base-system`;

/** Debian packages that a tree has, with what they need. */
export const baseSystemPackages = readFileSync(
  join(import.meta.dirname, "packages"),
  "utf8",
)
  .trim()
  .split("\n");

/** Where a tree comes from: a file, or else packages of a mirror. */
export interface BaseSystemSource {
  /** Path on the server, or a URL. */
  readonly file?: { readonly place: string; readonly sha256: string };
  /** Debian's mirror; those of the server's own apt when absent. */
  readonly mirror?: string | undefined;
  readonly securityMirror?: string | undefined;
}

/** The bundle: a pure function of the configuration and these files. */
export function baseSystemBundle(source: BaseSystemSource): Bundle {
  const values = {
    FILE: source.file?.place,
    FILE_SHA256: source.file?.sha256,
    MIRROR: source.mirror,
    SECURITY_MIRROR: source.securityMirror,
  };
  return {
    name: "base-system",
    packages: [],
    files: [
      {
        path: `${etc}/env`,
        content: Object.entries(values)
          .map(([name, value = ""]) => `${name}='${value}'\n`)
          .join(""),
        mode: 0o644,
      },
      ...[
        "check",
        "differences",
        "download",
        "enter",
        "finish",
        "switch",
        "undo",
        "unpack",
        "update",
        "use",
      ].map((name) => copy(`${name}.sh`, `${lib}/${name}.sh`, 0o755)),
      ...["daytona-base-system.service", timer].map((unit) =>
        copy(`units/${unit}`, `${places.systemd}/${unit}`),
      ),
      copy("packages", `${lib}/packages`),
      copy("debian-archive-keys.asc", `${lib}/debian-archive-keys.asc`),
    ],
    units: [timer],
    check: `${lib}/check.sh`,
    undo: `${lib}/undo.sh`,
    rules: { differences: `${lib}/differences.sh` },
    ports: [],
  };
}

/** The same bundle, whose programs are those of the base system. */
export function onBaseSystem(bundle: Bundle): Bundle {
  const services = bundle.files
    .map(({ path }) => path)
    .filter(
      (path) => dirname(path) === places.systemd && path.endsWith(".service"),
    );
  return {
    ...bundle,
    packages: [],
    onBaseSystem: true,
    files: [
      ...bundle.files,
      ...services.map((path) =>
        copy("base-system.conf", `${path}.d/base-system.conf`),
      ),
    ],
  };
}
