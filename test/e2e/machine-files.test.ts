/** The files that the machines run on, judged by the programs they are for. */
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { parseConfig } from "../../infra/config/parse.ts";
import { gatewayBundle } from "../../infra/gateway/bundle.ts";
import { onBaseSystem } from "../../infra/machine/base-system/bundle.ts";
import { bundleTarball } from "../../infra/machine/tarball.ts";
import { checkout } from "../../scripts/checkout.ts";
import { labSecrets } from "../../scripts/lab/secrets.ts";
import { labStackFile, ownKeys } from "../../scripts/stack.ts";
import { labExec } from "./lab.ts";

async function tracked(pattern: string): Promise<string[]> {
  const { stdout } = await execa(
    "git",
    ["ls-files", "--cached", "--others", "--exclude-standard", pattern],
    { cwd: checkout },
  );
  return stdout.split("\n");
}

test("shellcheck finds nothing in any script", async () => {
  const scripts = await tracked("*.sh");
  expect(scripts.length).toBeGreaterThan(5);
  const result = await execa("shellcheck", scripts, {
    cwd: checkout,
    reject: false,
  });
  expect(result.stdout).toBe("");
});

describe.each([
  ["edge", "edge", "haproxy.cfg", "nonsense", "*.service"],
  ["gateway", "daytona", "haproxy.cfg", "nonsense", "*.service"],
  ["certificate", "edge", "env", "CERTIFICATE_NAMES=nonsense", "*.timer"],
])("%s", (bundle, machine, file, wrong, units) => {
  const enter = "/usr/local/lib/daytona-edge/base-system/enter.sh";
  const check = `/usr/local/lib/daytona-edge/check-${bundle}.sh`;

  test("their programs accept the files", async () => {
    expect(await labExec(machine, [enter, "sh", check])).toMatchObject({
      exitCode: 0,
      stderr: "",
    });
  });

  test("a file that its program does not accept fails that check", async () => {
    const path = `/etc/daytona-edge/${bundle}/${file}`;
    const { exitCode, stdout } = await labExec(machine, [
      "unshare",
      "--mount",
      "sh",
      "-c",
      `cp ${path} /run/broken && echo ${wrong} >>/run/broken && mount --bind /run/broken ${path} && sh ${check} 2>&1`,
    ]);
    expect(exitCode).not.toBe(0);
    expect(stdout).toContain("nonsense");
  });

  test("systemd finds nothing wrong with the units", async () => {
    const result = await labExec(machine, [
      "sh",
      "-c",
      `systemd-analyze verify /etc/systemd/system/daytona-${bundle}${units} 2>&1`,
    ]);
    expect(result.stdout).toBe("");
  });

  test("secrets and state are root's alone", async () => {
    const { stdout } = await labExec(machine, [
      "sh",
      "-c",
      `find /var/lib/daytona-edge/${bundle} -type f -perm /077 ! -name ca.pem ! -name .lock`,
    ]);
    expect(stdout).toBe("");
  });
});

test("a new edge begins with a placeholder, root's alone, that is not served", async () => {
  const state = "/var/lib/daytona-edge/edge";
  const run = "/run/daytona-edge";
  // Also one that lost its certificate, and believes that it has it.
  const { stdout } = await labExec("edge", [
    "unshare",
    "--mount",
    "sh",
    "-euc",
    `mount -t tmpfs tmpfs ${state}; mount -t tmpfs tmpfs ${run}
     set -a; . /etc/daytona-edge/edge/env; EDGE_ACCESS=signed
     echo 'certificate issued' >${state}/state.map; chmod 600 ${state}/state.map
     /usr/local/lib/daytona-edge/prepare-edge.sh
     cat ${run}/state.map
     openssl x509 -noout -subject -in ${state}/certificate.pem
     stat -c '%a %n' ${state}/* ${run}/*`,
  ]);
  expect(stdout.split("\n")).toEqual([
    "certificate placeholder",
    "subject=CN=placeholder.invalid",
    ...["access-keys.map", "certificate.pem", "revoked.map"].map(
      (name) => `600 ${state}/${name}`,
    ),
    ...["environment.cfg", "state.map"].map((name) => `600 ${run}/${name}`),
  ]);
});

describe("the edge's modes", () => {
  const judge = (access: string, upstream: string) =>
    labExec("edge", [
      "sh",
      "-c",
      `set -a; . /etc/daytona-edge/edge/env; EDGE_ACCESS=${access}; EDGE_UPSTREAM=${upstream}; exec haproxy -c -f /etc/daytona-edge/edge/haproxy.cfg 2>&1`,
    ]);
  const modes = ["daytona", "signed", "public"].flatMap((access) =>
    ["daytona", "direct"].map((upstream) => [access, upstream] as const),
  );

  test.each(modes)("%s before %s is accepted", async (access, upstream) => {
    const { exitCode, stdout } = await judge(access, upstream);
    expect(stdout).toBe("");
    expect(exitCode).toBe(0);
  });

  test.each(["", "Signed", "none"])(
    "what is no mode is not started: %j",
    async (access) => {
      const { exitCode, stdout } = await judge(access, "daytona");
      expect(exitCode).not.toBe(0);
      expect(stdout).toContain("EDGE_ACCESS must be daytona, signed or public");
    },
  );

  test("a later HAProxy, which may mix up the streams of a connection, is refused", async () => {
    // As if this one were the first of those.
    const { exitCode, stdout } = await labExec("edge", [
      "sh",
      "-c",
      `set -a; . /etc/daytona-edge/edge/env
       sed 's/version_atleast(3.2)/version_atleast(3.0)/' /etc/daytona-edge/edge/haproxy.cfg >/run/later.cfg
       haproxy -c -f /run/later.cfg 2>&1`,
    ]);
    expect(exitCode).not.toBe(0);
    expect(stdout).toContain("this configuration is for HAProxy 3.0 and 3.1");
  });
});

test("an install of the same bundle again changes and restarts nothing", async () => {
  const started = async () =>
    (
      await labExec("daytona", [
        "systemctl",
        "show",
        "--property=Id,ActiveEnterTimestampMonotonic",
        "daytona-gateway*",
      ])
    ).stdout;
  const { config } = parseConfig(ownKeys(labStackFile("local", labSecrets())));
  if (!config?.egress?.gateway)
    throw new Error("Pulumi.local.yaml is not valid");
  const archive = await bundleTarball(
    onBaseSystem(gatewayBundle({ ...config.egress, ...config.egress.gateway })),
  );
  const before = await started();
  expect(before).toContain("daytona-gateway.service");
  const install = await labExec(
    "daytona",
    [
      "sh",
      "-ec",
      "work=$(mktemp -d); tar -xz -C $work --no-same-owner; $work/install.sh; rm -r $work",
    ],
    { input: archive },
  );
  expect(install.stderr).toBe("");
  expect(install.stdout).toBe("gateway: unchanged");
  expect(await started()).toBe(before);
});

test.each([
  ["edge", "daytona-edge", "edge"],
  ["edge", "daytona-edge-agent", "edge"],
  ["daytona", "daytona-gateway", "gateway"],
  ["daytona", "daytona-gateway-agent", "gateway"],
  ["daytona", "daytona-gateway-resolver", undefined],
  ["daytona", "daytona-gateway-recursor", undefined],
])("on %s, %s writes what is its own", async (machine, unit, state) => {
  const { stdout } = await labExec(machine, [
    "sh",
    "-ec",
    `pid=$(systemctl show --property=MainPID --value ${unit})
     nsenter --target="$pid" --mount sh -c '
       for path in / /etc /home /root /run /run/systemd /usr /var /var/lib /var/lib/daytona-edge/* /sys/fs/cgroup; do
         [ ! -w "$path" ] || echo "$path"
       done'`,
  ]);
  // Of the agents the kernel's own files are not kept: they end sockets.
  const written = stdout.split("\n").filter((path) => !path.startsWith("/sys"));
  expect(written).toEqual(state ? [`/var/lib/daytona-edge/${state}`] : [""]);
});
