/**
 * The proxy VM: the edge on a machine of its own, Daytona's server as it was.
 * The stack files are those of examples/, and the firewall of port 4000 is made
 * of the lines in docs/host.md, with the addresses that both have.
 *
 * @module-tag surroundings
 * @module-tag certificate
 * @module-tag edge
 * @module-tag gateway
 * @module-tag host
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { checkout } from "../../../scripts/checkout.ts";
import {
  daytonaMachines,
  edgeAddresses,
} from "../../../scripts/lab/machine-addresses.ts";
import { FIRST_SANDBOX, inLab, labCurl, labExec } from "../lab.ts";
import type { Example } from "./example.ts";
import { changes, inventory } from "./inventory.ts";
import { removeNames } from "./names.ts";
import { sandboxesOf, trustAuthority } from "./sandboxes.ts";
import { toolsFor } from "./tools.ts";

// An up installs all of it, and may have half a core to do so.
vi.setConfig({ testTimeout: 1_200_000, hookTimeout: 1_200_000 });

const vm = "edge-spare";
const daytona = "server";
const domain = "vm.daytona.defikit.net";
/** As the examples and the page have them. */
const onLink = { [vm]: "10.0.0.3", [daytona]: "10.0.0.2" };
const workDir = mkdtempSync(join(tmpdir(), "daytona-edge-proxy-vm-"));
const app = `${FIRST_SANDBOX}-3000.${domain}`;

const run = (program: string, args: string[], example?: Example) =>
  inLab([process.execPath, join(import.meta.dirname, program), ...args], {
    env: {
      ...{ HOST_DOMAIN: domain, HOST_SERVERS: `${vm} ${daytona}` },
      ...(example && { HOST_EXAMPLE: example }),
    },
  });
const stack = (verb: string, example: Example) =>
  run("stack.ts", [verb, workDir], example);
/** Runs lines on a machine, and expects them to do what they are for. */
const on = async (machine: string, lines: string) => {
  const { stdout, stderr, exitCode } = await labExec(machine, [
    ...["sh", "-c", lines],
  ]);
  expect({ exitCode, stderr: exitCode === 0 ? "" : stderr }).toEqual({
    exitCode: 0,
    stderr: "",
  });
  return stdout;
};
const joinLink = (machine: keyof typeof onLink) =>
  on(
    machine,
    `ip address add ${onLink[machine]}/24 dev $(ip -o route show default | sed 's/.* dev \\([^ ]*\\).*/\\1/')`,
  );
const inventories = async () => ({
  [vm]: await inventory(vm),
  [daytona]: await inventory(daytona),
});

const page = readFileSync(join(checkout, "docs/host.md"), "utf8");
/** The lines that stand below a heading of docs/host.md. */
function linesBelow(heading: string): string {
  const [, section = ""] = page.split(`\n#### ${heading}\n`);
  const [, lines = ""] = /```sh\n([^]*?)```/.exec(section) ?? [];
  expect(lines, heading).toContain("4000");
  return lines;
}
const firewall = () => linesBelow("A table of its own");
const takeAway = () => linesBelow("To take the table away");

/** What a stranger's curl ends with: 0 for an answer, 28 when nobody takes the connection. */
const strangersCurl = async (address: string, port = 4000) => {
  const { exitCode } = await labCurl([
    ...["--connect-timeout", "5", "-m", "60", "-o", "/dev/null"],
    `http://${address}:${String(port)}/health`,
  ]);
  return exitCode;
};
const { ipv4, ipv6 } = daytonaMachines[daytona];
/** Of Daytona's server: public ones, and that of the private network. */
const addresses = [ipv4, `[${ipv6}]`, onLink[daytona]];
const everybodys = () => Promise.all(addresses.map((to) => strangersCurl(to)));

let before: Awaited<ReturnType<typeof inventories>>;
beforeAll(async () => {
  await removeNames(domain);
  const booted = await run("server.ts", ["boot", vm, daytona]);
  expect(booted.stderr).toBe("");
  await joinLink(vm);
  await joinLink(daytona);
  // A neighbour on that network, who is no edge.
  await inLab(["ip", "address", "replace", "10.0.0.9/24", "dev", "lab"]);
  before = await inventories();
});

/** What is different on either since then. */
const changed = async () => {
  const now = await inventories();
  return [
    ...changes(before[vm], now[vm]),
    ...changes(before[daytona], now[daytona]),
  ];
};

afterAll(async () => {
  await inLab(["ip", "address", "delete", "10.0.0.9/24", "dev", "lab"]);
  await run("server.ts", ["remove", vm, daytona]);
  rmSync(workDir, { recursive: true });
});

/** The status of a request through the edge. */
const status = async (...options: string[]) => {
  const { stdout } = await labCurl([
    ...options,
    ...["-o", "/dev/null", "-w", "%{http_code}", `https://${app}/headers`],
  ]);
  return stdout;
};

describe("the ingress alone", () => {
  const { tool, doctor, verify } = toolsFor(workDir);

  test("one up, and nothing is changed on Daytona's server", async () => {
    const { stdout, stderr } = await stack("up", "proxy-vm");
    expect(stderr).toBe("");
    const { outputs } = JSON.parse(stdout) as { outputs: object };
    expect(outputs).toMatchObject({
      access: { mode: "daytona" },
      edge: { ipv4: edgeAddresses[vm].ipv4 },
    });
    const [, printed = ""] = /\nOutputs:\n([^]*?)\n\n/.exec(page) ?? [];
    const names = printed.matchAll(/^ {4}(\w+) *:/gm);
    expect(Object.keys(outputs)).toEqual(Array.from(names, ([, name]) => name));
    expect(changes(before[daytona], await inventory(daytona))).toEqual([]);
    const again = await stack("up", "proxy-vm");
    expect(JSON.parse(again.stdout)).toMatchObject({ changed: false });
  });

  test("a sandbox answers by HTTPS and on a WebSocket", async () => {
    expect(await status()).toBe("200");
    const { stdout } = await inLab([
      process.execPath,
      join(import.meta.dirname, "../fixtures/websocket.ts"),
      ...[`wss://${app}/ws`, "1"],
    ]);
    expect(stdout).toBe("echoed twice");
  });

  test("until then everybody reaches Daytona's proxy; the page's lines close it", async () => {
    expect(await everybodys()).toEqual([0, 0, 0]);
    await on(daytona, firewall());
    expect(await everybodys()).toEqual([28, 28, 28]);
    expect(await status()).toBe("200");
    const fromVm = await on(
      vm,
      `curl -sS -m 60 http://${onLink[daytona]}:4000/health`,
    );
    expect(JSON.parse(fromVm)).toMatchObject({ status: "ok" });
    // The server itself, and Daytona's other ports.
    await on(daytona, "curl -sS -m 60 http://127.0.0.1:4000/health");
    expect(await strangersCurl(ipv4, 3000)).toBe(0);
  });

  test("they hold after a boot, from before Docker starts", async () => {
    const booted = await run("server.ts", ["reboot", daytona]);
    expect(booted.stderr).toBe("");
    const order = await on(
      daytona,
      "systemctl show -p ActiveEnterTimestampMonotonic --value daytona-proxy-firewall; systemctl show -p ExecMainStartTimestampMonotonic --value docker",
    );
    const [table = 0, docker = 0] = order.split("\n").map(Number);
    expect(table).toBeGreaterThan(0);
    expect(table).toBeLessThan(docker);
    await joinLink(daytona);
    await expect.poll(() => status()).toBe("200");
    expect(await everybodys()).toEqual([28, 28, 28]);
  });

  test("it is closed again after somebody loads nftables anew", async () => {
    for (const verb of ["restart", "reload"]) {
      // The command does not wait for the unit that follows.
      await on(daytona, `systemctl ${verb} nftables`);
      await expect.poll(everybodys).toEqual([28, 28, 28]);
    }
    // What /etc/nftables.conf has, as Debian delivers it.
    await on(
      daytona,
      "nft delete table inet filter && systemctl restart docker daytona-host daytona",
    );
    await expect.poll(() => status()).toBe("200");
  });

  test("verify and doctor find all of it right", async () => {
    const { tried, failed } = await verify();
    expect(failed).toEqual([]);
    expect(tried).toBeGreaterThan(5);
    const { rows } = await doctor();
    expect(rows.map(({ what }) => what)).toEqual(
      expect.arrayContaining([
        `upstream http://${onLink[daytona]}:4000`,
        `${edgeAddresses[vm].ipv4}: edge`,
      ]),
    );
    expect(JSON.stringify(rows)).not.toContain(ipv4);
    const { stdout } = await tool("outputs");
    expect(JSON.parse(stdout)).toMatchObject({ domain, contract: 1 });
    await expect
      .poll(async () => (await doctor()).wanting, { interval: 1_000 })
      .toEqual([]);
  });

  test("an edge that a firewall keeps away is named by doctor", async () => {
    await on(
      daytona,
      firewall()
        .replaceAll(onLink[vm], "10.0.0.4")
        .replace("enable", "restart"),
    );
    // Connections of before are kept, and would wait for their peer.
    await on(vm, "systemctl reload daytona-edge");
    // Over HTTP/2 HAProxy 3.0 refuses the stream and says no status.
    expect(await status("--http1.1")).toBe("503");
    const { rows } = await doctor();
    expect(rows.filter(({ state }) => state === "bad")).toEqual([
      {
        stack: "host",
        what: `upstream http://${onLink[daytona]}:4000`,
        state: "bad",
        found: expect.stringContaining("timed out") as string,
        fix: expect.stringContaining("docs/host.md") as string,
      },
    ]);
    await on(daytona, firewall().replace("enable", "restart"));
    await expect.poll(() => status()).toBe("200");
  });

  test("commands that are about egress say that there is none", async () => {
    for (const [name, ...args] of [
      ["egress", "rules"],
      ["egress", "denials"],
      ["egress", "learn"],
      [
        "verify",
        "--bypass",
        "--sandbox",
        FIRST_SANDBOX,
        "--other-sandbox",
        "-",
      ],
    ] as const) {
      const { stderr, exitCode } = await tool(name, ...args);
      expect(stderr).toContain(
        "the stack host has the ingress only, so nothing stands between its sandboxes and the world; to have a list of what they may call, set egress.allow in Pulumi.host.yaml",
      );
      expect(exitCode).toBe(1);
    }
  });

  test("destroy and the page's lines leave both as they were", async () => {
    const { stderr } = await stack("destroy", "proxy-vm");
    expect(stderr).toBe("");
    await on(daytona, takeAway());
    expect(await changed()).toEqual([]);
  });
});

describe("a port that Docker publishes", () => {
  const port = 4100;
  const lines = (heading: string) =>
    linesBelow(heading).replaceAll("4000", String(port));
  const fromVm = async () => {
    const { exitCode } = await labExec(
      vm,
      `curl -sS --connect-timeout 5 -m 60 -o /dev/null http://${onLink[daytona]}:${String(port)}/`.split(
        " ",
      ),
    );
    return exitCode;
  };
  const strangers = () =>
    Promise.all(addresses.map((to) => strangersCurl(to, port)));

  test("is open to everybody", async () => {
    await on(
      daytona,
      `docker run -d --name published -p ${String(port)}:3000 daytona-lab python3 -m http.server 3000`,
    );
    await expect.poll(strangers).toEqual([0, 0, 0]);
  });

  test("is closed to strangers by the table", async () => {
    await on(daytona, lines("A table of its own"));
    expect(await strangers()).toEqual([28, 28, 28]);
    expect(await fromVm()).toBe(0);
    await on(daytona, lines("To take the table away"));
    expect(await strangers()).toEqual([0, 0, 0]);
  });

  test("and by rules of iptables", async () => {
    await on(daytona, lines("With iptables alone"));
    expect(await strangers()).toEqual([28, 28, 28]);
    expect(await fromVm()).toBe(0);
    await on(daytona, lines("With iptables alone").replaceAll(" -I ", " -D "));
    expect(await strangers()).toEqual([0, 0, 0]);
    await on(daytona, "docker rm -f published");
  });
});

describe("with the gateway on Daytona's server", () => {
  const { inSandbox, allowedStatus } = sandboxesOf(daytona, domain);
  const { doctor } = toolsFor(workDir);

  test("one up makes both", async () => {
    before = await inventories();
    const { stderr } = await stack("up", "proxy-vm-egress");
    expect(stderr).toBe("");
    expect(await status()).toBe("200");
    expect((await inSandbox(trustAuthority)).exitCode).toBe(0);
    expect(await allowedStatus()).toBe("200");
  });

  test("port 4000 is the edge's alone, without the page's lines", async () => {
    expect(await everybodys()).toEqual([28, 28, 28]);
    await expect
      .poll(async () => (await doctor()).wanting, { interval: 1_000 })
      .toEqual([]);
  });

  test("destroy leaves both as they were", async () => {
    const { stderr } = await stack("destroy", "proxy-vm-egress");
    expect(stderr).toBe("");
    expect(await changed()).toEqual([]);
  });
});
