/**
 * Installs and removals that are killed in the middle, as by a lost power or
 * somebody's kill -9: the next one finishes, or leaves what was there before.
 *
 * @module-tag surroundings
 * @module-tag edge
 * @module-tag host
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { edgeBundle } from "../../../infra/edge/bundle.ts";
import { noRevocations } from "../../../infra/edge/revocations.ts";
import {
  baseSystemBundle,
  onBaseSystem,
} from "../../../infra/machine/base-system/bundle.ts";
import type { Bundle, BundleFile } from "../../../infra/machine/bundle.ts";
import { bundleTarball } from "../../../infra/machine/tarball.ts";
import {
  type RemoteScript,
  remoteScript,
} from "../../../infra/platforms/host/server.ts";
import { baseSystemFile } from "../../../scripts/lab/base-system.ts";
import { daytonaMachines } from "../../../scripts/lab/machine-addresses.ts";
import { rootOf } from "../../../scripts/lab/machine.ts";
import { FIRST_SANDBOX, inLab, labCurl, labExec } from "../lab.ts";
import { type Inventory, changes, inventory } from "./inventory.ts";
import { domain, parsedHostConfig } from "./stack-file.ts";

const machine = "server-bare";
const { ipv4 } = daytonaMachines[machine];
const counted = readFileSync(join(import.meta.dirname, "counted.sh"), "utf8");

const onServer = async (line: string, input = "") => {
  const { stdout, stderr, exitCode } = await labExec(
    machine,
    ["sh", "-euc", line],
    { input },
  );
  if (exitCode !== 0) throw new Error(stderr);
  return stdout;
};
const server = (verb: string) =>
  inLab([
    process.execPath,
    join(import.meta.dirname, "server.ts"),
    ...[verb, machine],
  ]);

/** Where a run is killed: at a program that it runs, or in the middle of it. */
interface Kill {
  readonly at: number;
  readonly after?: number;
}

/** One of the platform's own scripts, as an `up` or a `destroy` runs it. */
async function remote(
  script: RemoteScript,
  environment: Record<string, string>,
  { input = "", kill }: { input?: string; kill?: Kill } = {},
) {
  const root = { address: ipv4, port: 22, user: "root", hostKey: "" };
  const line = remoteScript(root, script, environment);
  const { stdout, stderr, exitCode } = await labExec(
    machine,
    [
      ...["unshare", "--mount", "env"],
      ...[`KILL_AT=${String(kill?.at ?? "")}`],
      ...[`KILL_AFTER=${String(kill?.after ?? "")}`],
      ...["sh", "-c", counted, "sh", "sh", "-c", line],
    ],
    { input },
  );
  return {
    programs: stdout.split("\n").map((line) => line.trim()),
    stderr,
    exitCode,
  };
}

/** One of the platform's installs and removals: what is killed, and what comes after. */
interface Run {
  (kill?: Kill): ReturnType<typeof remote>;
}
const installOf =
  (bundle: () => Bundle, before = async () => {}): Run =>
  async (kill) => {
    await before();
    const tarball = Buffer.from(await bundleTarball(bundle()));
    return remote(
      "unpack-and-install",
      {},
      { input: tarball.toString("base64"), ...(kill && { kill }) },
    );
  };
const removalOf =
  (name: Bundle["name"]): Run =>
  (kill) =>
    remote("remove-bundle", { BUNDLE: name }, kill && { kill });

async function green(run: Run): Promise<string[]> {
  const { programs, stderr, exitCode } = await run();
  if (exitCode !== 0) throw new Error(stderr);
  return programs;
}

/** @returns the program at which it was killed */
async function killed(run: Run, kill: Kill): Promise<string> {
  const { programs, stderr, exitCode } = await run(kill);
  if (exitCode !== 137) throw new Error(`not killed: ${stderr}`);
  return programs.at(-1) ?? "";
}

/**
 * Points that are spread over a run: every so many programs, those that match,
 * and each second one in the middle of what the program does.
 */
function spread(
  programs: readonly string[],
  count: number,
  ...critical: RegExp[]
): Kill[] {
  const wanted = critical.map((pattern) => {
    const index = programs.findIndex((program) => pattern.test(program));
    if (index === -1) throw new Error(`${String(pattern)} is not run`);
    return index + 1;
  });
  const others = count - wanted.length;
  const even = Array.from({ length: others }, (_, place) =>
    Math.round(((place + 0.5) / others) * programs.length),
  );
  return [...wanted, ...even]
    .sort((one, other) => one - other)
    .map((at, place) => (place % 2 === 0 ? { at } : { at, after: 0.02 }));
}

/**
 * What differs between two installs of the same bundle: the log, a process, times,
 * and whether HAProxy started before or after the certificate came.
 */
const differs =
  /daytona-edge-install\.log$|\/run\/daytona-edge\/(haproxy\.pid|status\.json|state\.map)$/;
async function installed(): Promise<Inventory> {
  const all = await inventory(machine);
  return {
    ...all,
    files: (all.files ?? [])
      .filter((line) => !differs.test(line))
      // A tree is called by the time that it was put in place.
      .map((line) => line.replaceAll(/trees\/\d{8}T\d{6}/g, "trees/T"))
      .sort(),
  };
}

async function serves(): Promise<string> {
  const { stdout } = await labCurl([
    ...["-k", "-m", "10", "-o", "/dev/null", "-w", "%{http_code}"],
    ...["--connect-to", `::${ipv4}:443`],
    `https://${FIRST_SANDBOX}-3000.${domain}/`,
  ]);
  return stdout;
}

const documents = ["store/certificate.json", "store/revocations.json"];
let certificate: string;
/** What an `up` lays beside bundles: live state, and the base system's archive. */
async function layState(): Promise<void> {
  const home = "/var/lib/daytona-edge";
  await onServer(`umask 077; mkdir -p ${home}/store`);
  await onServer(`umask 077; cat >${home}/${documents[0]}`, certificate);
  await onServer(`umask 077; cat >${home}/${documents[1]}`, noRevocations);
}
const layTree = (name: string) => async () => {
  await onServer(`ln -f /trees/${name}.tar /tree.tar`);
};
const sums: Record<string, string> = {};
const baseSystem = (name: string) =>
  installOf(
    () =>
      baseSystemBundle({
        file: { place: "/tree.tar", sha256: sums[name] ?? "" },
      }),
    layTree(name),
  );
const edgeWith = (
  file: string,
  change: (file: BundleFile) => BundleFile = (same) => same,
) =>
  installOf(() => {
    const bundle = onBaseSystem(edgeBundle(parsedHostConfig()));
    const path = `/etc/daytona-edge/edge/${file}`;
    return {
      ...bundle,
      files: [...bundle.files.map(change), { path, content: "", mode: 0o644 }],
    };
  });
const edge = edgeWith("old/one.map");
/** Another configuration and another unit, a file more and a file less. */
const newEdge = edgeWith("new/two.map", (file) =>
  /haproxy\.cfg$|agent\.service$/.test(file.path)
    ? { ...file, content: `${String(file.content)}\n# another\n` }
    : file,
);

/** All of it, as `pulumi destroy` does. */
async function destroy(): Promise<void> {
  for (const name of ["edge", "base-system"] as const) {
    await green(removalOf(name));
  }
  for (const document of documents) {
    await remote("remove-state", { DOCUMENT: document });
  }
  await onServer("rm -f /tree.tar");
}

let before: Inventory;
beforeAll(async () => {
  expect((await server("boot-other")).stderr).toBe("");
  const { file, sha256 } = baseSystemFile();
  await onServer("mkdir /trees");
  const copy = await inLab(["cp", file, `${rootOf(machine)}/trees/one.tar`]);
  expect(copy.stderr).toBe("");
  sums.one = sha256;
  sums.two = await onServer(
    "cd /trees; cp one.tar two.tar; echo >other; tar -rf two.tar other; sha256sum two.tar | cut -d ' ' -f 1",
  );
  const pem = await onServer(
    `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=edge -addext basicConstraints=CA:FALSE -addext subjectAltName=DNS:${domain},DNS:*.${domain} -addext extendedKeyUsage=serverAuth -keyout - 2>/dev/null`,
  );
  const [key = ""] = /-+BEGIN PRIVATE[^]*END PRIVATE KEY-+\n/.exec(pem) ?? [];
  certificate = JSON.stringify({ chain: pem.replace(key, ""), key });
  before = await inventory(machine);
});

afterAll(async () => {
  await server("remove");
});

/** Points at which something was killed, for the log. */
const tried: string[] = [];
afterAll(() => {
  console.log(`killed ${String(tried.length)} times:\n  ${tried.join("\n  ")}`);
});
const noted = (what: string, { after }: Kill) =>
  tried.push(`${after === undefined ? "before" : "during"}: ${what}`);

const serving = () => expect.poll(serves).toBe("200");
const nothingElse = () => Promise.resolve();

/**
 * Kills a first install at each point: then a removal leaves what there was
 * before it, and, killed there again, the next install all that it brings.
 */
async function killFirst(
  run: Run,
  undo: Run,
  ready: () => Promise<void>,
  points: (programs: readonly string[]) => Kill[],
): Promise<void> {
  const bare = await installed();
  const programs = await green(run);
  await ready();
  const whole = await installed();
  await green(undo);
  expect(changes(bare, await installed())).toEqual([]);
  for (const kill of points(programs)) {
    const at = await killed(run, kill);
    noted(at, kill);
    await green(undo);
    expect(changes(bare, await installed()), `undone after ${at}`).toEqual([]);
    await killed(run, kill);
    await green(run);
    await ready();
    expect(changes(whole, await installed()), `whole after ${at}`).toEqual([]);
    await green(undo);
  }
}

/**
 * Kills updates of a healthy edge from one to another and back, at a point each:
 * it serves after the next one, which finishes.
 */
async function killUpdates(
  runs: readonly [Run, Run],
  points: (programs: readonly string[]) => Kill[],
): Promise<void> {
  const [one, other] = runs;
  await green(other);
  await green(one);
  const wholes = [await installed()];
  const programs = await green(other);
  wholes.push(await installed());
  for (const [index, kill] of points(programs).entries()) {
    const place = index % 2;
    const run = place === 0 ? one : other;
    const at = await killed(run, kill);
    noted(at, kill);
    await green(run);
    expect(await serves(), `served after ${at}`).toBe("200");
    expect(
      changes(wholes[place] ?? {}, await installed()),
      `whole after ${at}`,
    ).toEqual([]);
  }
}

test("the base system, at first", async () => {
  await killFirst(
    baseSystem("one"),
    removalOf("base-system"),
    nothingElse,
    (programs) =>
      spread(
        programs,
        5,
        /^mv .*installed\/base-system$/,
        /^tar -x .*trees\/new/,
        /^mv -T .*current$/,
        /^systemctl .*enable daytona-base-system.timer/,
      ),
  );
});

test("the edge, at first", async () => {
  await green(baseSystem("one"));
  await layState();
  await killFirst(edge, removalOf("edge"), serving, (programs) =>
    spread(
      programs,
      6,
      /^chroot .*check-edge\.sh/,
      /^mv -f .*edge\.service$/,
      /^systemctl .*enable daytona-edge-agent/,
      /^ln -sfn releases/,
    ),
  );
});

test("the edge, an update", async () => {
  await green(edge);
  await serving();
  await killUpdates([edge, newEdge], (programs) =>
    spread(
      programs,
      6,
      /^cp .*\/name /,
      /^mv -f .*agent\.service$/,
      /^systemctl .*reload.* daytona-edge\.service/,
      /^ln -sfn releases/,
    ),
  );
});

test("the edge, an update that makes it ill", async () => {
  const edgeAs = (change: (configuration: string) => string) =>
    edgeWith("old/one.map", (file) =>
      file.path.endsWith("/haproxy.cfg")
        ? { ...file, content: change(String(file.content)) }
        : file,
    );
  const ill = edgeAs((text) => text.replace("bind :::8404", "bind :::8406"));
  const programs = await green(edgeAs((text) => `${text}\n# another\n`));
  await green(edge);
  const was = await installed();
  const reload = programs.findIndex((program) =>
    /^systemctl .*reload.* daytona-edge\.service/.test(program),
  );
  // While it waits for it to be healthy.
  await killed(ill, { at: reload + 8 });
  expect(await serves()).toBe("200");
  // That it was healthy is known of what the first one has left alone.
  expect((await ill()).stderr).toContain("is back in its place, and serves");
  expect(await serves()).toBe("200");
  expect(changes(was, await installed())).toEqual([]);
});

test("the base system, an update", async () => {
  await killUpdates([baseSystem("one"), baseSystem("two")], (programs) =>
    spread(
      programs,
      5,
      /^mv -T .*current$/,
      /^systemctl reload daytona-edge/,
      /^systemctl restart daytona-edge-agent/,
    ),
  );
});

test("the edge, at first: the base system's removal takes it along", async () => {
  await destroy();
  await layState();
  await green(baseSystem("one"));
  const kill = { at: 100 };
  noted(await killed(edge, kill), kill);
  expect(await onServer("ls /etc/systemd/system/daytona-edge*")).not.toBe("");
  await green(removalOf("base-system"));
  await destroy();
  expect(changes(before, await inventory(machine))).toEqual([]);
});

test("a removal", async () => {
  await green(baseSystem("one"));
  await green(edge);
  const names = ["edge", "base-system"] as const;
  const programs = [
    await green(removalOf("edge")),
    await green(removalOf("base-system")),
  ];
  await destroy();
  expect(changes(before, await inventory(machine))).toEqual([]);
  for (const place of [0.2, 0.5, 0.9]) {
    await green(baseSystem("one"));
    await layState();
    await green(edge);
    for (const [index, name] of names.entries()) {
      const at = Math.round(place * (programs[index]?.length ?? 0));
      noted(await killed(removalOf(name), { at }), { at });
      await green(removalOf(name));
    }
    await destroy();
    expect(changes(before, await inventory(machine))).toEqual([]);
  }
});
