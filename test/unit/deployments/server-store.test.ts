/** The scripts that a server runs for operators' commands, in a shell of this computer. */
import { execa } from "execa";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { readFile, readdir, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { certificate } from "../../../infra/machine/live-state.ts";
import { remoteScript } from "../../../infra/platforms/host/server.ts";
import {
  ServerStore,
  type ServerStoreOptions,
} from "../../../scripts/deployments/server-store.ts";
import { readRevocations, revoke } from "../../../scripts/sandbox/revoke.ts";

const server = {
  address: "203.0.113.10",
  port: 22,
  user: "root",
  hostKey: `ssh-ed25519 ${"A".repeat(68)}`,
};
let home: string;
let directory: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "daytona-edge-server-store-"));
  directory = join(home, "store");
  mkdirSync(directory, { mode: 0o700 });
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(home, { recursive: true });
});

const argv = (line: string) => [
  ...["-c", line.replaceAll("/var/lib/daytona-edge", home)],
];

/** Runs lines as sshd would; what reaches a line by standard input may be cut. */
function store(
  options: ServerStoreOptions & { readonly cut?: number } = {},
): ServerStore {
  return new ServerStore(
    server,
    {
      run: async (line, input = "") => {
        const sent = Buffer.from(input).subarray(0, options.cut);
        const { stdout, stderr, exitCode } = await execa("sh", argv(line), {
          ...{ input: sent, reject: false, stripFinalNewline: false },
        });
        if (exitCode === 0) return stdout;
        throw new Error(stderr);
      },
      hold: async (line) => {
        const held = execa("sh", argv(line), { reject: false });
        const ended = held.then(({ stderr }) => {
          throw new Error(stderr);
        });
        await Promise.race([once(held.stdout, "data"), ended]);
        ended.catch(() => undefined);
        return async () => {
          held.stdin.end();
          await held;
        };
      },
    },
    options,
  );
}

test("a document is read as it was written, and root's alone", async () => {
  expect(await store().read("access.json")).toBeUndefined();
  const content = `{ "kid": "it's", "key": "ü" }\n`;
  await store().write("access.json", content);
  expect(await store().read("access.json")).toBe(content);
  expect((await stat(join(directory, "access.json"))).mode & 0o777).toBe(0o600);
  expect(await readdir(directory)).toEqual(["access.json"]);
});

test.each([0, 2])(
  "the certificate comes without its private key, indented by %i",
  async (indent) => {
    const held = { serial: "01", key: "secret\n", chain: "PEM" };
    await writeFile(
      join(directory, certificate.name),
      JSON.stringify(held, undefined, indent),
    );
    expect(JSON.parse((await store().read(certificate.name)) ?? "")).toEqual({
      ...held,
      key: "",
    });
  },
);

test("of what arrives in part nothing is written", async () => {
  await store().write("revocations.json", "old");
  await expect(
    store({ cut: 3 }).write("revocations.json", "newer"),
  ).rejects.toThrow(/revocations\.json is unchanged: .* run the command again/);
  expect(await readFile(join(directory, "revocations.json"), "utf8")).toBe(
    "old",
  );
  expect(await readdir(directory)).toEqual(["revocations.json"]);
});

const writeState = (input: string, onlyWhenMissing = "no") => {
  const line = remoteScript(server, "write-state", {
    DOCUMENT: "store/access.json",
    ONLY_WHEN_MISSING: onlyWhenMissing,
  });
  return execa("sh", argv(line), { input, reject: false });
};

test("the stack replaces a document as a whole, and lays it down for root alone", async () => {
  await writeFile(join(directory, "access.json"), "old", { mode: 0o644 });
  expect((await writeState("")).stderr).toContain("what was there stays");
  await writeState("first", "yes");
  expect(await store().read("access.json")).toBe("old");
  expect((await writeState("new")).exitCode).toBe(0);
  expect(await store().read("access.json")).toBe("new");
  expect((await stat(join(directory, "access.json"))).mode & 0o777).toBe(0o600);
  expect(await readdir(directory)).toEqual(["access.json"]);
});

test.each([
  ["an operator's command", () => store().write("access.json", "new")],
  ["the stack", () => writeState("new")],
])(
  "what %s writes is on the disk before its name is, and then the name",
  async (_, write) => {
    await writeFile(join(directory, "access.json"), "old");
    const programs = join(home, "programs");
    const log = join(home, "synced");
    mkdirSync(programs);
    writeFileSync(
      join(programs, "sync"),
      `#!/bin/sh\necho "$1: $(cat '${directory}/access.json')" >>'${log}'\nexec /bin/sync "$@"\n`,
      { mode: 0o755 },
    );
    vi.stubEnv("PATH", `${programs}${delimiter}${process.env.PATH ?? ""}`);
    await write();
    expect((await readFile(log, "utf8")).trim().split("\n")).toEqual([
      `${directory}/.access.json.new: old`,
      `${directory}: new`,
    ]);
  },
);

test("where nothing is installed nothing is made", async () => {
  rmSync(directory, { recursive: true });
  const why = /nothing is installed there: run pulumi up first/;
  await expect(store().write("revocations.json", "new")).rejects.toThrow(why);
  await expect(store().lock(() => Promise.resolve())).rejects.toThrow(why);
  expect(await readdir(home)).toEqual([]);
});

test("revocations at one time are all kept", async () => {
  const ports = [1000, 1001, 1002, 1003, 1004];
  const sandbox = "3f2c1a52-7d3b-4c1e-9a44-2b6a1e0d9c99";
  await Promise.all(
    ports.map((port) => revoke(store(), sandbox, port, Date.now())),
  );
  const kept = await readRevocations(store());
  expect(kept.map(({ port }) => port).toSorted()).toEqual(ports);
});

test("a lock that another command keeps is named", async () => {
  await store().lock(async () => {
    await expect(
      store({ lockTimeout: 0 }).lock(() => Promise.resolve()),
    ).rejects.toThrow(
      /store\/\.operators\.lock on .* is still locked by another operator's command after 0 s/,
    );
  });
  expect(await store().lock(() => Promise.resolve("free again"))).toBe(
    "free again",
  );
});
