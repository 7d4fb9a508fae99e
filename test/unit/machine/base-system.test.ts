import { execa } from "execa";
import { createHash } from "node:crypto";
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

/** Of the primary keys in an armoured file (RFC 4880, 4.2, 6.2 and 12.2). */
function fingerprintsIn(file: string): string[] {
  const [, armoured = ""] =
    /-----BEGIN.*\n\n([\s\S]*?)\n(?:=.{4}\n)?-----END/.exec(
      readFileSync(file, "utf8"),
    ) ?? [];
  const packets = Buffer.from(armoured, "base64");
  const found: string[] = [];
  for (let at = 0; at < packets.length;) {
    const header = packets.readUInt8(at);
    // As gpg writes them: the old format, with a length of 1, 2 or 4 bytes.
    const octets = 2 ** (header & 3);
    const body = at + 1 + octets;
    const end = body + packets.readUIntBE(at + 1, octets);
    if (((header >> 2) & 15) === 6) {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(end - body);
      const hash = createHash("sha1").update(Uint8Array.of(0x99));
      hash.update(length).update(packets.subarray(body, end));
      found.push(hash.digest("hex").toUpperCase());
    }
    at = end;
  }
  return found;
}

test("packages are signed by Debian 13's three keys, and nobody's else", () => {
  const keys = fingerprintsIn(join(directory, "debian-archive-keys.asc"));
  expect(keys.toSorted()).toEqual(fingerprints.toSorted());
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
