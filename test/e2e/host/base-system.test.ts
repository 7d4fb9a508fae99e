/**
 * The base system of a server: made of Debian's own packages, and another tree
 * put in its place while requests come.
 *
 * @module-tag surroundings
 * @module-tag certificate
 * @module-tag edge
 * @module-tag host
 */
import { execa } from "execa";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { checkout } from "../../../scripts/checkout.ts";
import { ensureImage } from "../../../scripts/lab/image.ts";
import { daytonaMachines } from "../../../scripts/lab/machine-addresses.ts";
import { startLoad } from "../constant-load.ts";
import { FIRST_SANDBOX, inLab, labExec } from "../lab.ts";
import { holdStreams } from "../streams.ts";
import { removeNames } from "./names.ts";

vi.setConfig({ testTimeout: 1_200_000, hookTimeout: 1_200_000 });

const machine = "server-edge";
const { ipv4 } = daytonaMachines[machine];
const domain = "base.daytona.defikit.net";
const workDir = mkdtempSync(join(tmpdir(), "daytona-edge-base-system-"));
const scripts = join(checkout, "infra/machine/base-system");
const run = (program: string, ...args: string[]) =>
  inLab([process.execPath, join(import.meta.dirname, program), ...args], {
    env: { HOST_DOMAIN: domain, HOST_SERVERS: machine },
  });
const onServer = async (line: string) => {
  const { stdout } = await labExec(machine, ["sh", "-c", line]);
  return stdout;
};
const root = "/var/lib/daytona-base-system";
const lib = "/usr/local/lib/daytona-edge/base-system";

afterAll(() => {
  rmSync(workDir, { recursive: true });
});

describe("made of a mirror's packages", () => {
  /** The mirror that the lab's own machines are made of. */
  const mirrors = async () => {
    const { root: image } = await ensureImage("bookworm");
    const list = readFileSync(join(image, "etc/apt/sources.list"), "utf8");
    const of = (suite: string) =>
      new RegExp(`^deb (?:\\[.*\\] )?(\\S+) ${suite} `, "m").exec(list)?.[1];
    return {
      MIRROR: of("bookworm") ?? "",
      SECURITY_MIRROR: of("bookworm-security") ?? "",
    };
  };

  test("its programs run, and the same packages are no news", async () => {
    const tree = join(workDir, "tree");
    const env = await mirrors();
    const download = (...args: string[]) =>
      execa(join(scripts, "download.sh"), args, { env });
    const started = performance.now();
    await download(tree);
    // By so much an up takes longer than with a file, which is unpacked in 2 s.
    const seconds = (performance.now() - started) / 1000;
    console.log(`a tree of a mirror's packages: ${seconds.toFixed(1)} s`);
    // As use.sh has them in the root around a tree.
    for (const name of ["bin", "lib", "lib64", "sbin"]) {
      await symlink(`usr/${name}`, join(tree, name));
    }
    for (const [program = "", ...args] of [
      ["haproxy", "-v"],
      ["node", "--version"],
      ["unbound", "-V"],
      ["nft", "--version"],
      ["ulogd", "--version"],
    ]) {
      const { stdout } = await execa("chroot", [tree, program, ...args]);
      expect(stdout).toMatch(/\d+\.\d+/);
    }
    const again = join(workDir, "again");
    await download(again, join(tree, "packages"));
    await expect(execa("ls", [again])).rejects.toThrow("No such file");
  });

  test("that others have signed are refused", async () => {
    const other = join(workDir, "scripts");
    await execa("cp", ["-r", scripts, other]);
    // Keys of an older Debian, as another archive's would be.
    const { root: image } = await ensureImage("bookworm");
    const keys = readFileSync(
      join(image, "usr/share/keyrings/debian-archive-bullseye-stable.gpg"),
    ).toString("base64");
    writeFileSync(
      join(other, "debian-archive-keys.asc"),
      `-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n${keys.replace(/.{64}/g, "$&\n")}\n-----END PGP PUBLIC KEY BLOCK-----\n`,
    );
    const tree = join(workDir, "unsigned");
    const { exitCode, stderr } = await execa(
      join(other, "download.sh"),
      [tree],
      { env: await mirrors(), reject: false },
    );
    expect(stderr).toMatch(/NO_PUBKEY|not signed/);
    expect(exitCode).not.toBe(0);
    await expect(execa("ls", [tree])).rejects.toThrow("No such file");
  });
});

describe("another tree, while requests come", () => {
  const app = `https://${FIRST_SANDBOX}-3000.${domain}/`;
  const worker = () =>
    onServer(
      'for pid in $(pgrep -P "$(systemctl show -p MainPID --value daytona-edge)"); do readlink /proc/$pid/exe; done',
    );
  const current = () => onServer(`readlink ${root}/current`);
  /** Switches to a copy of the tree in which something is different. */
  const switchTo = (name: string, change: string) =>
    labExec(machine, [
      ...["sh", "-ec"],
      `cp -a --reflink=auto ${root}/current/. ${root}/trees/new
       cd ${root}/trees/new
       ${change}
       exec ${lib}/switch.sh ${root}/trees/new ${name}`,
    ]);
  const load = () =>
    startLoad({ perSecond: 500, address: ipv4, requests: [{ url: app }] });

  beforeAll(async () => {
    await removeNames(domain);
    expect((await run("server.ts", "boot-other", machine)).stderr).toBe("");
    const { stderr } = await run("stack.ts", "up", workDir);
    expect(stderr).toBe("");
  });

  afterAll(async () => {
    await run("server.ts", "remove", machine);
  });

  test("units run from the tree, and from nothing of the server's", async () => {
    // As the unit sees it, whose root is the base system.
    expect(await worker()).toBe(`/${await current()}/usr/sbin/haproxy`);
    expect(
      await onServer(
        `[ /proc/$(systemctl show -p MainPID --value daytona-edge)/exe -ef ${root}/current/usr/sbin/haproxy ] && echo same`,
      ),
    ).toBe("same");
    expect(await onServer("command -v haproxy unbound || true")).toBe("");
  });

  test("one with another HAProxy: nothing is lost, and the old tree is gone", async () => {
    const streams = await holdStreams(
      200,
      `wss://${FIRST_SANDBOX}-3000.${domain}/ws`,
      [],
      ipv4,
    );
    const end = await load();
    const { exitCode, stderr } = await switchTo(
      "patched",
      "echo >>usr/sbin/haproxy",
    );
    expect(stderr).toBe("");
    expect(exitCode).toBe(0);
    const { answered, failures, perSecond } = await end();
    console.log(`${String(answered)} answered, ${String(perSecond)}/s`);
    expect(failures).toEqual({});
    expect(await streams.end()).toMatchObject({ opened: 200, cut: 0 });
    expect(await current()).toBe("trees/patched");
    // The old process lives on until its streams have ended.
    await expect
      .poll(worker, { timeout: 60_000 })
      .toBe("/trees/patched/usr/sbin/haproxy");
    expect(await onServer(`ls ${root}/trees`)).toBe("patched");
    for (let times = 0; times < 3; times++) {
      expect(await onServer("systemctl reload daytona-edge 2>&1")).toBe("");
    }
  });

  test("one whose programs do not take our files is not used", async () => {
    const end = await load();
    const { exitCode, stderr } = await switchTo(
      "broken",
      "rm usr/sbin/haproxy",
    );
    expect(stderr).toContain(
      "daytona-edge: the new base system is not used: its programs do not take the files of edge",
    );
    expect(exitCode).toBe(1);
    expect((await end()).failures).toEqual({});
    expect(await current()).toBe("trees/patched");
    expect(await onServer(`ls ${root}/trees`)).toBe("patched");
  });

  test("one whose programs do not start is taken back", async () => {
    const { exitCode, stderr } = await switchTo(
      "ill",
      `mv usr/sbin/haproxy usr/sbin/haproxy.good
       printf '#!/bin/sh\\ncase "$*" in *-c*) exec /usr/sbin/haproxy.good "$@";; esac\\nexit 1\\n' >usr/sbin/haproxy
       chmod 755 usr/sbin/haproxy`,
    );
    expect(stderr).toContain(
      "daytona-edge: the new base system does not serve; the one before is back in its place. Above is what units said",
    );
    expect(exitCode).toBe(1);
    expect(await current()).toBe("trees/patched");
    const end = await load();
    expect((await end()).failures).toEqual({});
    expect(await onServer(`ls ${root}/trees`)).toBe("patched");
  });

  /** As a kill leaves it between the link and the last reload. */
  const cutOff = async (before: string) =>
    onServer(
      `cp -a ${root}/trees/${before} ${root}/trees/half; printf trees/${before} >${root}/before; ln -sfnT trees/half ${root}/current`,
    );

  test("one that was cut off is ended by an up", async () => {
    await cutOff("patched");
    expect((await run("stack.ts", "up", workDir)).stderr).toBe("");
    expect(await current()).not.toMatch(/half|patched/);
    expect(await onServer(`ls ${root}/trees`)).not.toMatch(/half|patched/);
    expect(await onServer(`ls ${root}/before 2>&1`)).toMatch("No such file");
    expect(await worker()).toBe(`/${await current()}/usr/sbin/haproxy`);
    expect((await switchTo("patched", ":")).exitCode).toBe(0);
  });

  test("one that was cut off is seen, and the next one ends it", async () => {
    await cutOff("patched");
    expect(
      await onServer(
        "/var/lib/daytona-edge/installed/base-system/install.sh --verify",
      ),
    ).toContain(
      "rules: unfinished: another tree was to take the place of trees/patched",
    );
    expect((await switchTo("whole", ":")).exitCode).toBe(0);
    expect(await current()).toBe("trees/whole");
    expect(await onServer(`ls ${root}/trees; ls ${root}/before 2>&1`)).toMatch(
      /^whole\n.*No such file/,
    );
  });
});
