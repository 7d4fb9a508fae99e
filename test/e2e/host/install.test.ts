/**
 * What an install looks at first, on a server that has nothing of ours.
 *
 * @module-tag surroundings
 * @module-tag edge
 * @module-tag gateway
 * @module-tag host
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { baseSystemBundle } from "../../../infra/machine/base-system/bundle.ts";
import { certificateBundle } from "../../../infra/certificate/bundle.ts";
import { edgeBundle } from "../../../infra/edge/bundle.ts";
import { gatewayBundle } from "../../../infra/gateway/bundle.ts";
import { serverFirewallBundle } from "../../../infra/platforms/host/server-firewall.ts";
import { baseSystemFile } from "../../../scripts/lab/base-system.ts";
import { inLab, labExec } from "../lab.ts";
import { install } from "./install.ts";
import { type Inventory, changes, inventory } from "./inventory.ts";
import { parsedHostConfig } from "./stack-file.ts";

const machine = "server-bare";
const server = (verb: string) =>
  inLab([
    process.execPath,
    join(import.meta.dirname, "server.ts"),
    ...[verb, machine],
  ]);
const onServer = async (line: string) => {
  const { stdout } = await labExec(machine, ["sh", "-c", line]);
  return stdout;
};

let before: Inventory;
beforeAll(async () => {
  expect((await server("boot")).stderr).toBe("");
  before = await inventory(machine);
});

afterAll(async () => {
  await server("remove");
});

describe("refused, and nothing changed", () => {
  const bundle = () => edgeBundle(parsedHostConfig());
  const system = (name: string, id: string, version: string) =>
    `printf 'PRETTY_NAME="${name}"\\nID=${id}\\nVERSION_ID=${version}\\n' >/run/other && mount --bind /run/other /etc/os-release && rm -f /run/other`;
  /** Shell: waits until somebody listens on a port, without a connection. */
  const listening = (port: number) =>
    `until ss -Hltn 'sport = :${String(port)}' | grep -q .; do sleep 0.1; done`;
  const listen = (unit: string, port: number) =>
    onServer(
      `systemd-run --quiet --unit=${unit} socat TCP-LISTEN:${String(port)},reuseaddr,fork -; ${listening(port)}`,
    );
  afterAll(async () => {
    await onServer("systemctl stop dnsmasq; systemctl reset-failed");
    expect(changes(before, await inventory(machine))).toEqual([]);
  });

  test.each([
    ["Debian 12", system("Debian GNU/Linux 12 (bookworm)", "debian", "12")],
    ["Debian 14", system("Debian GNU/Linux 14 (forky)", "debian", "14")],
    ["Debian testing", system("Debian testing", "debian", "")],
    ["Ubuntu", system("Ubuntu 24.04.1 LTS", "ubuntu", "24.04")],
  ])("%s", async (name, other) => {
    const { stderr, exitCode } = await install(machine, bundle(), other);
    expect(stderr).toMatch(
      /^daytona-edge install: this server cannot run edge yet:\n {2}- this is .*; it needs Debian 13, whose HAProxy is 3\.0$/,
    );
    expect(stderr).toContain(
      `this is ${name.replace(/ (?=1)/, " GNU/Linux ")}`,
    );
    expect(exitCode).toBe(1);
  });

  test("all that is wrong, at once", async () => {
    await listen("nginx", 443);
    await onServer(
      `systemd-run --quiet --unit=dnsmasq sh -c 'while :; do printf "HTTP/1.0 200\\r\\nDate: Mon, 02 Nov 2026 10:00:00 GMT\\r\\n\\r\\n" | nc -l -p 9999 -q 1; done'; ${listening(9999)}`,
    );
    const { stderr, exitCode } = await install(
      machine,
      { ...bundle(), clock: "http://127.0.0.1:9999/dir" },
      `${system("Debian GNU/Linux 12 (bookworm)", "debian", "12")}
       mount -t tmpfs -o size=20m tmpfs /var`,
    );
    expect(
      stderr.replace(
        /the clock says \S+, /,
        "the clock says 2026-11-26T00:00:00+00:00, ",
      ),
    ).toBe(
      [
        "daytona-edge install: this server cannot run edge yet:",
        "  - this is Debian GNU/Linux 12 (bookworm); it needs Debian 13, whose HAProxy is 3.0",
        "  - tcp port 443 is taken by socat (nginx.service); move it to another port, where it can serve its sites behind the edge (host.otherSites), or: systemctl disable --now nginx.service",
        "  - /var has 20 MB left; make it 300, for example with: apt-get clean; journalctl --vacuum-size=100M",
        "  - the clock says 2026-11-26T00:00:00+00:00, and http://127.0.0.1:9999/dir says 2026-11-02T10:00:00+00:00; set it: timedatectl set-ntp true",
      ].join("\n"),
    );
    expect(exitCode).toBe(1);
  });

  test("a port that a container publishes", async () => {
    await onServer(
      "cp /usr/bin/socat /root/docker-proxy; systemctl stop nginx",
    );
    await onServer(
      `systemd-run --quiet --unit=proxy /root/docker-proxy TCP-LISTEN:80,reuseaddr,fork -; ${listening(80)}; rm /root/docker-proxy`,
    );
    const { stderr } = await install(machine, bundle());
    await onServer("systemctl stop proxy");
    expect(stderr).toContain(
      'tcp port 80 is published by a container; change it where the container is defined, for example under "ports" in its compose file to "127.0.0.1:8080:80", and let it serve its sites behind the edge (host.otherSites)',
    );
  });

  test("a web server at one of its addresses, which counts for all and for that one", async () => {
    await onServer(
      `cp /usr/bin/socat /root/nginx; systemd-run --quiet --unit=web /root/nginx TCP-LISTEN:443,bind=127.0.0.9,reuseaddr,fork -; ${listening(443)}; rm /root/nginx`,
    );
    const config = parsedHostConfig();
    const everywhere = await install(machine, edgeBundle(config));
    const elsewhere = await install(
      machine,
      edgeBundle({ ...config, listen: ["127.0.0.1", "203.0.113.99"] }),
    );
    await onServer("systemctl stop web");
    expect(everywhere.stderr).toBe(
      [
        "daytona-edge install: this server cannot run edge yet:",
        "  - tcp port 443 is taken by nginx (web.service); let it serve its sites behind the edge (below), or: systemctl disable --now web.service",
        "    To serve its sites behind the edge, set in the stack's file",
        "      daytona-edge:host:",
        '        otherSites: {https: "127.0.0.1:8443", http: "127.0.0.1:8080"}',
        "    and in each server of /etc/nginx (grep -rn listen /etc/nginx), in place of 80 and 443",
        "      listen 127.0.0.1:8080;",
        "      listen 127.0.0.1:8443 ssl;",
        "      port_in_redirect off;",
        "    then: systemctl restart nginx, and pulumi up at once: until then nobody serves them.",
      ].join("\n"),
    );
    expect(elsewhere.stderr).toMatch(
      /^daytona-edge install: this server cannot run edge yet:\n {2}- it has no address 203\.0\.113\.99, which host\.listen names; its addresses are: [0-9a-f.: ]+$/,
    );
  });

  test("nobody to look names up with", async () => {
    const certificate = certificateBundle({
      ...parsedHostConfig(),
      cloudflareUrl: undefined,
    });
    const { stderr } = await install(
      machine,
      { ...certificate, clock: "https://acme.nowhere.invalid/directory" },
      "echo nameserver 127.0.0.9 >/run/other && mount --bind /run/other /etc/resolv.conf && rm -f /run/other",
    );
    expect(stderr).toBe(
      [
        "daytona-edge install: this server cannot run certificate yet:",
        "  - the name acme.nowhere.invalid cannot be looked up here; put right the name servers in /etc/resolv.conf: 127.0.0.9",
      ].join("\n"),
    );
  });

  test("sandboxes that a container hides", async () => {
    const { egress } = parsedHostConfig();
    if (!egress?.gateway) throw new Error("The stack has no gateway");
    await onServer(`
      ip netns add runner
      ip -n runner link add br-inner type bridge
      ip -n runner address add 172.20.0.1/16 dev br-inner
      systemd-run --quiet --unit=runner ip netns exec runner sleep infinity
      until ip netns pids runner | grep -q .; do sleep 0.1; done`);
    const { stderr } = await install(
      machine,
      gatewayBundle({ ...egress, ...egress.gateway }),
    );
    await onServer(
      "systemctl stop runner; ip netns delete runner; umount /run/netns; rmdir /run/netns",
    );
    expect(stderr.replace(/process \d+/, "process 1")).toBe(
      [
        "daytona-edge install: this server cannot run gateway yet:",
        '  - sandboxes of 172.20.0.0/16 are behind a bridge in a container\'s own network (process 1): Docker-in-Docker, in no container that is known as Daytona\'s runner (image daytona-runner, or Compose\'s service "runner" of a project with "daytona" in its name); name it so',
      ].join("\n"),
    );
  });
});

test("refused: an uplink that has the name of a Docker bridge", async () => {
  await onServer(
    "ip link add br-uplink type bridge; ip link set br-uplink up; ip route add default dev br-uplink metric 999",
  );
  const { stderr, exitCode } = await install(
    machine,
    serverFirewallBundle({ openPorts: [], operators: [] }),
  );
  await onServer("ip link delete br-uplink");
  expect(stderr).toContain(
    "firewall: br-uplink leads to the world and has the name of a Docker bridge, so that everybody outside would be taken for a container; rename it, for example to uplink0",
  );
  expect(exitCode).toBe(1);
  await onServer("rm /var/log/daytona-edge-install.log");
  expect(changes(before, await inventory(machine))).toEqual([]);
});

describe("the base system, refused, and nothing changed", () => {
  afterEach(async () => {
    await onServer("rm -f /var/log/daytona-edge-install.log");
    expect(changes(before, await inventory(machine))).toEqual([]);
  });
  /** Shell: a program that says something else than the server's. */
  const says = (program: string, words: string) =>
    `printf '#!/bin/sh\n${words}\n' >/tmp/other && chmod 755 /tmp/other && mount --bind /tmp/other "$(command -v ${program})" && rm -f /tmp/other`;

  test("a server that has not what it needs: all of it, at once", async () => {
    const { stderr, exitCode } = await install(
      machine,
      baseSystemBundle({}),
      [
        says("uname", "case $1 in -m) echo aarch64;; *) echo 5.10.0-28;; esac"),
        says("systemctl", "echo systemd 247 is here"),
        "mount -t tmpfs -o size=20m tmpfs /var",
      ].join("\n"),
    );
    expect(stderr.split("\n")).toEqual([
      "daytona-edge install: this server cannot run base-system yet:",
      "  - its processor is aarch64, and sandboxes of Daytona need x86_64: take another server",
      "  - its kernel is 5.10.0-28; the firewalls need 5.15: install a newer one, or Debian 12 or 13, or Ubuntu 22.04 or 24.04",
      "  - its systemd is 247; the units need 249: take Debian 12 or 13, or Ubuntu 22.04 or 24.04",
      "  - /var has 20 MB left; make it 900, for example with: apt-get clean; journalctl --vacuum-size=100M",
    ]);
    expect(exitCode).toBe(1);
  });

  test("no mirror of Debian, on another system", async () => {
    const { stderr, exitCode } = await install(
      machine,
      baseSystemBundle({}),
      `printf 'ID=ubuntu\nVERSION_ID=24.04\nVERSION_CODENAME=noble\n' >/run/other && mount --bind /run/other /etc/os-release && rm -f /run/other`,
    );
    expect(stderr).toContain(
      "daytona-edge: this server's apt knows no mirror of Debian, whose version 13 the programs run from; name one in host.baseSystem.mirror (https://www.debian.org/mirror/list)",
    );
    expect(exitCode).toBe(1);
  });

  test("a file that is another than its SHA-256 says", async () => {
    const { sha256 } = baseSystemFile();
    await onServer("echo other >/tmp/tree");
    const { stderr, exitCode } = await install(
      machine,
      baseSystemBundle({ file: { place: "/tmp/tree", sha256 } }),
    );
    await onServer("rm /tmp/tree");
    expect(stderr).toContain(
      `daytona-edge: the base system's file is another than host.baseSystem says: its SHA-256 is ${createHash("sha256").update("other\n").digest("hex")} instead of ${sha256}`,
    );
    expect(exitCode).toBe(1);
  });
});

test("a unit that an update drops is stopped, and gone", async () => {
  const without = serverFirewallBundle({ openPorts: [], operators: [] });
  const unit = "daytona-dropped.service";
  const content = `[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n`;
  const path = `/etc/systemd/system/${unit}`;
  const active = () => onServer(`systemctl is-active ${unit}`);
  await install(machine, {
    ...without,
    files: [...without.files, { path, content, mode: 0o644 }],
    units: [...without.units, unit],
  });
  expect(await active()).toBe("active");
  const { stdout, exitCode } = await install(machine, without);
  expect({ stdout, exitCode }).toMatchObject({ exitCode: 0 });
  expect(stdout).toContain(`  ${unit}: stop`);
  expect(await active()).toBe("inactive");
  await onServer(
    "/var/lib/daytona-edge/installed/server/install.sh --remove; systemctl reset-failed",
  );
  expect(changes(before, await inventory(machine))).toEqual([]);
});

describe("packages", () => {
  const script = (name: string) =>
    readFileSync(join(import.meta.dirname, `${name}.sh`), "utf8");
  const bundle = () => {
    const server = serverFirewallBundle({ openPorts: [], operators: [] });
    return { ...server, packages: [...server.packages, "daytona-lab-guest"] };
  };
  const installOnly = (repository: string) =>
    install(machine, bundle(), `${repository}\n${script("only-guest")}`);

  afterEach(async () => {
    await onServer("rm -r /root/repository");
    expect(changes(before, await inventory(machine))).toEqual([]);
  });

  test("that are missing come", async () => {
    const { stdout, exitCode } = await installOnly(script("make-guest"));
    expect(stdout).toContain("adding packages: daytona-lab-guest");
    expect(exitCode).toBe(0);
    expect(
      await onServer("id -un daytona-lab-guest; ls /usr/share/daytona-lab"),
    ).toBe("daytona-lab-guest\nguest");
    const remove = "/var/lib/daytona-edge/installed/server/install.sh --remove";
    expect(await onServer(remove)).toBe("server: removed");
    // A machine of user data keeps them for as long as it lives.
    await onServer(
      "apt-get -q -y purge daytona-lab-guest >/dev/null; userdel daytona-lab-guest",
    );
  });

  test("that nobody has are an error, and nothing is left", async () => {
    const { stderr, exitCode } = await installOnly(
      "mkdir /root/repository && : >/root/repository/Packages",
    );
    expect(stderr).toContain(
      "these packages could not be installed: daytona-lab-guest; the end of /var/log/daytona-edge-install.log says why. Give the machine a Debian mirror that it can reach, or install them beforehand",
    );
    expect(exitCode).toBe(1);
    // It says why, so it stays.
    await onServer("rm /var/log/daytona-edge-install.log");
  });
});
