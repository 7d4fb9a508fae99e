/**
 * One bare Debian 13 with Daytona's stand-in on it becomes edge, gateway and
 * the certificate's timer by one `pulumi up` over SSH, and what it was again.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { edgeBundle } from "../../../infra/edge/bundle.ts";
import type { Bundle } from "../../../infra/machine/bundle.ts";
import { bundleTarball } from "../../../infra/machine/tarball.ts";
import { daytonaMachines } from "../../../scripts/lab/machine-addresses.ts";
import { cloudflare } from "../internet.ts";
import {
  FIRST_SANDBOX,
  type Outcome,
  inLab,
  labCurl,
  labExec,
} from "../lab.ts";
import { requestLoop } from "./request-loop.ts";
import { domain, parsedHostConfig } from "./stack-file.ts";

const machine = "server";
const { ipv4 } = daytonaMachines[machine];
const workDir = mkdtempSync(join(tmpdir(), "daytona-edge-host-"));
const app = `https://${FIRST_SANDBOX}-3000.${domain}/headers`;

const run = (program: string, ...args: string[]): Promise<Outcome> =>
  inLab([process.execPath, join(import.meta.dirname, program), ...args]);
const stack = (verb: string, ...changes: string[]) =>
  run("stack.ts", verb, workDir, ...changes);
const onServer = async (line: string) => {
  const { stdout } = await labExec(machine, ["sh", "-c", line]);
  return stdout;
};

/** What a server writes by itself, and what its Daytona does. */
const notOurs = [
  "/run/log",
  "/run/motd.dynamic",
  "/run/systemd",
  "/run/udev",
  "/var/lib/daytona-lab",
  "/var/log/journal",
];

/** What of the server an install could have touched. */
async function inventory(): Promise<Record<string, string>> {
  const prune = notOurs.map((path) => `-path '${path}'`).join(" -o ");
  return {
    files: await onServer(
      `find /etc /usr/local /var /run /root -xdev \\( ${prune} \\) -prune -o -type f -print | sort`,
    ),
    units: await onServer(
      "systemctl list-unit-files --no-legend --plain --state=enabled,disabled | sort; systemctl list-units --all --no-legend --plain 'daytona*' | cut -d' ' -f1",
    ),
    users: await onServer("cat /etc/passwd /etc/group"),
    packages: await onServer("dpkg-query -W"),
    ruleset: await onServer("nft list ruleset"),
    addresses: await onServer(
      "ip -o address show scope global | awk '{print $2, $4}'",
    ),
    rules: await onServer("ip rule show; ip -6 rule show"),
  };
}

/** When each unit of ours was started, and by which start. */
const starts = () =>
  onServer(
    "systemctl list-units --no-legend --plain 'daytona-*' | cut -d' ' -f1 | xargs systemctl show -p Id,InvocationID,ActiveEnterTimestampMonotonic",
  );

let before: Record<string, string>;
beforeAll(async () => {
  // Of a run that was killed.
  for (const { id } of await cloudflare<{ id: string }[]>(
    `?name.endswith=${domain}&per_page=100`,
  )) {
    await cloudflare(`/${id}`, "-X", "DELETE");
  }
  const booted = await run("server.ts", "boot");
  expect(booted.stderr).toBe("");
  before = await inventory();
}, 240_000);

afterAll(async () => {
  await run("server.ts", "remove");
  rmSync(workDir, { recursive: true });
});

test("one up makes it edge, gateway and timer", async () => {
  const started = performance.now();
  const { exitCode, stderr, stdout } = await stack("up");
  expect(stderr).toBe("");
  expect(exitCode).toBe(0);
  console.log(`up: ${((performance.now() - started) / 1000).toFixed(1)} s`);
  expect(JSON.parse(stdout)).toMatchObject({
    changed: true,
    outputs: { domain, edge: { ipv4 } },
  });
  const { stdout: answer } = await labCurl(["-w", "%{http_code}", app]);
  expect(answer).toMatch(/200$/);
}, 240_000);

test("a second up changes nothing, and restarts nothing", async () => {
  const units = await starts();
  expect(units).toContain("daytona-gateway.service");
  const { stdout, stderr } = await stack("up");
  expect(stderr).toBe("");
  expect(JSON.parse(stdout)).toMatchObject({ changed: false });
  expect(await starts()).toBe(units);
}, 240_000);

/** Installs a bundle as an `up` would. */
async function install(bundle: Bundle): Promise<Outcome> {
  return labExec(
    machine,
    [
      "sh",
      "-ec",
      "work=$(mktemp -d); trap 'rm -rf $work' EXIT; tar -xz -C $work --no-same-owner; $work/install.sh",
    ],
    { input: await bundleTarball(bundle) },
  );
}

/** The edge's bundle with one file changed. */
function edgeWith(path: RegExp, change: (content: string) => string): Bundle {
  const bundle = edgeBundle(parsedHostConfig());
  const files = bundle.files.map((file) =>
    path.test(file.path)
      ? { ...file, content: change(String(file.content)) }
      : file,
  );
  expect(files).not.toEqual(bundle.files);
  return { ...bundle, files };
}

describe("a changed bundle, while requests come", () => {
  const installed = async () =>
    onServer(
      "cd / && find /etc/daytona-edge /etc/systemd/system /usr/local -type f | sort | xargs sha256sum",
    );

  test.each([
    [
      "that its program does not take is refused",
      /haproxy\.cfg$/,
      (text: string) => `${text}\nnonsense\n`,
      /unknown keyword 'nonsense'(.*\n)*.*do not pass .*check-edge\.sh; what was installed before stays/,
    ],
    [
      "whose unit does not start is taken back",
      /daytona-edge-agent\.service$/,
      (text: string) =>
        text.replace(/^ExecStart=.*$/m, "Type=exec\nExecStart=/nowhere"),
      /daytona-edge-agent\.service does not start(.*\n)*.*installed before is back in its place, and serves/,
    ],
    [
      "that makes the edge ill is taken back",
      /haproxy\.cfg$/,
      (text: string) => text.replace("bind :::8404", "bind :::8406"),
      /healthz does not answer 200(.*\n)*.*installed before is back in its place, and serves/,
    ],
  ])("%s", async (_, path, change, words) => {
    const was = await installed();
    const end = requestLoop(app);
    const { exitCode, stderr } = await install(edgeWith(path, change));
    const { answered, failed } = await end();
    expect(stderr).toMatch(words);
    expect(exitCode).toBe(1);
    expect(failed).toEqual([]);
    expect(answered).toBeGreaterThan(3);
    expect(await installed()).toBe(was);
  });

  test("that HAProxy cannot start with is taken back", async () => {
    const was = await installed();
    // Seen only when it is under way: for that moment nobody is served.
    const { stderr, exitCode } = await install(
      edgeWith(/haproxy\.cfg$/, (text) =>
        text.replace("global\n", "global\n  chroot /nowhere\n"),
      ),
    );
    expect(stderr).toMatch(
      /daytona-edge\.service does not start(.*\n)*.*installed before is back in its place, and serves/,
    );
    expect(exitCode).toBe(1);
    expect(await installed()).toBe(was);
    const { stdout } = await labCurl(["-w", "%{http_code}", app]);
    expect(stdout).toMatch(/200$/);
  });

  test("takes effect without a new process: an environment", async () => {
    const pid = () =>
      onServer("systemctl show -p MainPID --value daytona-edge.service");
    const was = await pid();
    const end = requestLoop(app);
    const { exitCode, stdout } = await install(
      edgeWith(/edge\/env$/, (text) =>
        text.replace("EDGE_TOOLBOX=off", "EDGE_TOOLBOX=on"),
      ),
    );
    expect(stdout).toMatch(
      /^edge: installed, 1 files changed\n {2}\/etc\/daytona-edge\/edge\/env\n {2}daytona-edge\.service: reload/,
    );
    expect(exitCode).toBe(0);
    const toolbox = async () => {
      const { stdout: status } = await labCurl([
        ...["-o", "/dev/null", "-w", "%{http_code}"],
        `https://${domain}/toolbox/${FIRST_SANDBOX}/process/execute`,
      ]);
      return status;
    };
    expect(await toolbox()).not.toBe("404");
    expect(await install(edgeBundle(parsedHostConfig()))).toMatchObject({
      exitCode: 0,
    });
    expect(await toolbox()).toBe("404");
    expect((await end()).failed).toEqual([]);
    expect(await pid()).toBe(was);
  });

  test("leaves three releases of the bundle, at most", async () => {
    const { stdout } = await labExec(machine, [
      "ls",
      "/var/lib/daytona-edge/installed/edge/releases",
    ]);
    expect(stdout.split("\n").length).toBeLessThanOrEqual(3);
  });
});

test("destroy returns the server to what it was", async () => {
  const { stderr, exitCode } = await stack("destroy");
  expect(stderr).toBe("");
  expect(exitCode).toBe(0);
  expect(await inventory()).toEqual(before);
}, 240_000);
