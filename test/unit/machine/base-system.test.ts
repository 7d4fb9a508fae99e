import { execa } from "execa";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  baseSystemBundle,
  onBaseSystem,
} from "../../../infra/machine/base-system/bundle.ts";
import type { Bundle } from "../../../infra/machine/bundle.ts";
import { checkout } from "../../../scripts/checkout.ts";

const directory = join(checkout, "infra/machine/base-system");

describe("a bundle on the base system", () => {
  const file = (path: string) => ({ path, content: "", mode: 0o644 });
  const bundle: Bundle = {
    name: "edge",
    packages: ["haproxy"],
    files: [
      file("/etc/systemd/system/daytona-a.service"),
      file("/etc/systemd/system/daytona-b@.service"),
      file("/etc/systemd/system/daytona-c.timer"),
      file("/etc/systemd/system/daytona-a.service.d/drain.conf"),
    ],
    units: [],
    check: "/check.sh",
    ports: [],
  };

  test("runs each of its services in there, and wants no package", () => {
    const { packages, files, onBaseSystem: is } = onBaseSystem(bundle);
    expect(packages).toEqual([]);
    expect(is).toBe(true);
    expect(files.slice(bundle.files.length)).toEqual(
      ["daytona-a.service", "daytona-b@.service"].map((unit) => ({
        path: `/etc/systemd/system/${unit}.d/base-system.conf`,
        content: readFileSync(join(directory, "base-system.conf")),
        mode: 0o644,
      })),
    );
  });
});

test("where a tree comes from is the environment of its scripts", () => {
  const environment = (source: Parameters<typeof baseSystemBundle>[0]) =>
    String(
      baseSystemBundle(source).files.find(({ path }) => path.endsWith("/env"))
        ?.content,
    );
  expect(environment({})).toBe(
    "FILE=''\nFILE_SHA256=''\nMIRROR=''\nSECURITY_MIRROR=''\n",
  );
  expect(
    environment({
      file: { place: "/tmp/tree", sha256: "0".repeat(64) },
      mirror: "https://mirror.example/debian",
    }),
  ).toBe(
    `FILE='/tmp/tree'\nFILE_SHA256='${"0".repeat(64)}'\nMIRROR='https://mirror.example/debian'\nSECURITY_MIRROR=''\n`,
  );
});

/** As Debian publishes them (ftp-master.debian.org/keys.html). */
const fingerprints = [
  "04B54C3CDCA79751B16BC6B5225629DF75B188BD",
  "5E04A1E3223A19A20706E20F9904613D4CCE68C6",
  "41587F7DB8C774BCCF131416762F67A0B2C39DE4",
];

test("packages are signed by Debian 13's three keys, and nobody's else", async () => {
  const { stdout } = await execa("gpg", [
    ...["--batch", "--no-options", "--with-colons", "--show-keys"],
    join(directory, "debian-archive-keys.asc"),
  ]);
  const keys = [...stdout.matchAll(/^pub:.*\n(?:.*\n)*?fpr:+([0-9A-F]+):/gm)];
  expect(keys.map(([, fingerprint]) => fingerprint).sort()).toEqual(
    [...fingerprints].sort(),
  );
});

test("a path that a unit may write or not see is one of its own root", async () => {
  const { stdout } = await execa(
    "git",
    [
      ...["grep", "-hoE"],
      "^(ReadOnlyPaths|ReadWritePaths|InaccessiblePaths)=.*",
      ...["--", "infra/*.service", "infra/*.conf"],
    ],
    { cwd: checkout },
  );
  const lines = stdout.split("\n");
  expect(lines.length).toBeGreaterThan(10);
  // Without the plus it is the server's, which the unit has no more (systemd.exec(5)).
  expect(lines.filter((line) => !/=-?\+\S+( -?\+\S+)*$/.test(line))).toEqual(
    [],
  );
});
