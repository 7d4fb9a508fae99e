/**
 * A server (release.ts) with Daytona's stand-in on it, and Caddy on its ports 443
 * and 80, becomes edge, gateway and the certificate's timer by one `pulumi up` over
 * SSH, and what it was again.
 *
 * @module-tag surroundings
 * @module-tag certificate
 * @module-tag edge
 * @module-tag gateway
 * @module-tag host
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { readOutputs, signSandboxToken } from "../../../client/index.ts";
import { gatewayAddress } from "../../../infra/gateway/address.ts";
import { type EdgeConfig, edgeBundle } from "../../../infra/edge/bundle.ts";
import { onBaseSystem } from "../../../infra/machine/base-system/bundle.ts";
import type { Bundle } from "../../../infra/machine/bundle.ts";
import { webHosts } from "../../../scripts/lab/internet/hosts.ts";
import { daytonaMachines } from "../../../scripts/lab/machine-addresses.ts";
import {
  FIRST_SANDBOX,
  type Outcome,
  SECOND_SANDBOX,
  inLab,
  labCurl,
  labExec,
} from "../lab.ts";
import { cloudflare } from "../internet.ts";
import { install } from "./install.ts";
import { type Inventory, changes, inventory } from "./inventory.ts";
import { removeNames } from "./names.ts";
import { requestLoop } from "./request-loop.ts";
import { sandboxesOf, trustAuthority } from "./sandboxes.ts";
import { domain, hostSettings, parsedHostConfig } from "./stack-file.ts";
import { toolsFor } from "./tools.ts";
import {
  caddyAgain,
  giveWay,
  nginxInPlace,
  otherSites as sockets,
  portsToCaddy,
  sites,
  startCaddy,
} from "./web-server.ts";

// An up installs all of it, and may have half a core to do so.
vi.setConfig({ testTimeout: 1_200_000, hookTimeout: 1_200_000 });

const machine = "server";
const otherSites = { ...sockets, proxyProtocol: false };
const { ipv4 } = daytonaMachines[machine];
const workDir = mkdtempSync(join(tmpdir(), "daytona-edge-host-"));
const app = `https://${FIRST_SANDBOX}-3000.${domain}/headers`;

const run = (program: string, ...args: string[]): Promise<Outcome> =>
  inLab([process.execPath, join(import.meta.dirname, program), ...args]);
const stack = (verb: string, ...changes: string[]) =>
  run(
    "stack.ts",
    ...[verb, workDir],
    `host=${JSON.stringify({ ...hostSettings(machine), otherSites })}`,
    ...changes,
  );
/** What that up installs as the edge. */
const edge = (change: Partial<EdgeConfig> = {}): Bundle =>
  onBaseSystem(edgeBundle({ ...parsedHostConfig(), otherSites, ...change }));
const onServer = async (line: string) => {
  const { stdout } = await labExec(machine, ["sh", "-c", line]);
  return stdout;
};

const secondsSince = (started: number) =>
  ((performance.now() - started) / 1000).toFixed(1);

/** When each unit of ours was started, and by which start. */
const starts = () =>
  onServer(
    "systemctl list-units --no-legend --plain 'daytona-*' | cut -d' ' -f1 | xargs systemctl show -p Id,InvocationID,ActiveEnterTimestampMonotonic",
  );

/** What a client is told who asks for one of Caddy's sites. */
const site = async (
  scheme: string,
  name: keyof typeof sites,
  ...options: string[]
) => {
  const { stdout } = await labCurl([
    // Its certificates are of an authority of its own.
    ...["-k", "-w", " %{http_code}", ...options],
    `${scheme}://${sites[name]}/`,
  ]);
  return stdout;
};

let before: Inventory;
beforeAll(async () => {
  await removeNames(domain);
  const booted = await run("server.ts", "boot-other", machine);
  expect(booted.stderr).toBe("");
  await startCaddy(machine, ipv4);
  before = await inventory(machine);
});

afterAll(async () => {
  await run("server.ts", "remove", machine);
  rmSync(workDir, { recursive: true });
});

describe("an up that may not log in", () => {
  test("another host key than the one that is pinned", async () => {
    const { address, user } = parsedHostConfig().host ?? {};
    const hostKey = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${"A".repeat(43)}`;
    const { stderr, exitCode } = await stack(
      "up",
      `host=${JSON.stringify({ address, user, hostKey })}`,
    );
    expect(stderr).toMatch(
      new RegExp(
        `error: ${ipv4}, port 22: its host key is SHA256:\\S{43}, not the pinned SHA256:\\S{43}; compare it with /etc/ssh/ssh_host_\\*\\.pub on the server before you change hostKey`,
      ),
    );
    expect(exitCode).toBe(1);
  });

  test("a user who is not root and may not become so", async () => {
    const rule = "/etc/sudoers.d/deploy";
    await onServer(`mv ${rule} /root/rule`);
    const { stderr, exitCode } = await stack("up");
    await onServer(`mv /root/rule ${rule}`);
    expect(stderr).toContain(
      'daytona-edge: deploy may not use sudo without a password on server; log in as root, or lay "deploy ALL=(ALL) NOPASSWD: ALL" into a file in /etc/sudoers.d',
    );
    expect(exitCode).toBe(1);
  });
});

test("Caddy is asked to make room, with the lines for it", async () => {
  const { stderr, exitCode } = await stack("up");
  expect(exitCode).toBe(1);
  for (const port of [80, 443]) {
    expect(stderr).toContain(
      `tcp port ${String(port)} is taken by caddy (caddy.service); let it serve its sites behind the edge (below), or: systemctl disable --now caddy.service`,
    );
  }
  expect(stderr).toContain(
    `otherSites: {https: "${otherSites.https}", http: "${otherSites.http}"}`,
  );
  expect(await site("https", "dashboard")).toMatch(/dashboard.* 200$/);
  const [options = ""] = /\{\n *http_port[^}]*\}\n *\}\n/.exec(stderr) ?? [];
  await giveWay(machine, options);
});

test("one up makes it edge, gateway and timer", async () => {
  const started = performance.now();
  const { exitCode, stderr, stdout } = await stack("up");
  expect(stderr).toBe("");
  expect(exitCode).toBe(0);
  console.log(`up, the base system from a file: ${secondsSince(started)} s`);
  expect(JSON.parse(stdout)).toMatchObject({
    changed: true,
    outputs: { domain, edge: { ipv4 } },
  });
  const { stdout: answer } = await labCurl(["-w", "%{http_code}", app]);
  expect(answer).toMatch(/200$/);
});

test("a second up changes nothing, and restarts nothing", async () => {
  const units = await starts();
  expect(units).toContain("daytona-gateway.service");
  const started = performance.now();
  const { stdout, stderr } = await stack("up");
  expect(stderr).toBe("");
  console.log(`up, unchanged: ${secondsSince(started)} s`);
  expect(JSON.parse(stdout)).toMatchObject({ changed: false });
  expect(await starts()).toBe(units);
});

describe("the server's own web server", () => {
  const misdirected = ["421", "misdirected_request"];
  /** Status and code of the last of some requests on one connection. */
  const asked = async (...requests: string[][]) => {
    const { stdout } = await labCurl(
      requests.flatMap((request, place) => [
        ...[...(place > 0 ? ["--next"] : []), "-o", "/dev/null"],
        ...["-w", "%{http_code} %header{x-sandbox-error}\n", ...request],
      ]),
    );
    return stdout.split("\n").at(-1)?.split(" ");
  };

  test("keeps its names", async () => {
    for (const name of ["dashboard", "api"] as const) {
      expect(await site("https", name)).toMatch(/^(dashboard|api).* 200$/);
      expect(await site("http", name)).toMatch(/ 308$/);
    }
    // Nobody who is no sandbox's client is asked for a name.
    expect(await site("http", "api", "-H", "Host:")).toMatch(/ (308|400)$/);
  });

  test("who says a name is not kept waiting for more, as the silent are", async () => {
    for (const url of [
      app,
      app.replace("https:", "http:"),
      `https://${sites.api}/`,
      `http://${sites.api}/`,
    ]) {
      const seconds: number[] = [];
      for (let tries = 0; tries < 5; tries++) {
        const { stdout } = await labCurl([
          ...["-k", "-o", "/dev/null", "-w", "%{time_starttransfer}", url],
        ]);
        seconds.push(Number(stdout));
      }
      // Five, where it waits.
      expect(Math.min(...seconds), url).toBeLessThan(4);
    }
  });

  test("an authority's challenges reach it: http-01 and tls-alpn-01", async () => {
    const { stdout } = await labCurl([
      ...["-o", "/dev/null", "-w", "%header{server}"],
      `http://${sites.dashboard}/.well-known/acme-challenge/token`,
    ]);
    expect(stdout).toBe("Caddy");
    await inLab([
      ...["openssl", "s_client", "-connect", `${ipv4}:443`],
      ...["-servername", sites.api, "-alpn", "acme-tls/1"],
    ]);
    // As it looks for answers, and has none.
    const log = await onServer("journalctl -u caddy -o cat --no-pager");
    const none = "no information found to solve challenge for identifier: ";
    expect(log).toContain(`${none}${sites.dashboard}`);
    expect(log).toContain(`${none}${sites.api}`);
  });

  test("a request for it on a sandbox's connection is told to take another", async () => {
    const host = ["-H", `Host: ${sites.dashboard}`];
    expect(await asked(["--http2", ...host, app])).toEqual(misdirected);
    const plain = app.replace("https:", "http:");
    expect(await asked([plain], [...host, plain])).toEqual(misdirected);
  });

  test("the limits of the sandboxes' clients are not its own's", async () => {
    const { limits } = parsedHostConfig();
    const client = { ...limits.client, handshakesPerSecond: 1 };
    const few = edge({ limits: { ...limits, client } });
    expect((await install(machine, few)).exitCode).toBe(0);
    const connections = async (url: string) => {
      const { stdout } = await labCurl([
        // A connection for each.
        ...["-k", "--fail-early", "--http1.1"],
        ...["-H", "Connection: close", "-w", "%{exitcode} "],
        ...Array.from({ length: 20 }, () => ["-o", "/dev/null", url]).flat(),
      ]);
      return stdout.trim();
    };
    expect(await connections(`https://${sites.dashboard}/`)).toBe(
      "0 ".repeat(20).trim(),
    );
    expect(await connections(app)).toMatch(/ 35$/);
    expect((await install(machine, edge())).exitCode).toBe(0);
  });

  test("takes half of port 80's connections at most, and none of a client that has too many open", async () => {
    const { limits } = parsedHostConfig();
    const few = {
      ...{ ...limits, plainConnections: 20 },
      client: { ...limits.client, connections: 15 },
    };
    const installed = await install(machine, edge({ limits: few }));
    expect(installed.exitCode).toBe(0);
    const held = async (...args: string[]) => {
      const { stdout } = await inLab([
        "python3",
        join(import.meta.dirname, "../fixtures/held-connections.py"),
        ...[ipv4, ...args],
      ]);
      return stdout.trimEnd().split("\n");
    };
    const get = (host: string) =>
      `GET / HTTP/1.1\\r\\nHost: ${host}\\r\\n\\r\\n`;
    const [other, ours] = [get(sites.api), get(new URL(app).host)];
    const redirected = "HTTP/1.1 308 Permanent Redirect";
    // Connections of the one before end a moment later, and so does the process.
    const eventually = (...args: string[]) => expect.poll(() => held(...args));
    await eventually("80", "12", other, other).toEqual(["10"]);
    await eventually("80", "12", other, ours).toEqual(["10", redirected]);
    // Who says nothing may mean either.
    await eventually("80", "14", "", other).toEqual(["0", redirected]);
    await eventually("80", "15", "", other).toEqual(["0"]);
    await eventually("443", "14", "", sites.api).toEqual(["0", "TLSv1.3"]);
    await eventually("443", "15", "", sites.api).toEqual(["0"]);
    expect((await install(machine, edge())).exitCode).toBe(0);
  });

  test("the edge takes the ports of no other address than it is told", async () => {
    expect((await install(machine, edge({ listen: [ipv4] }))).exitCode).toBe(0);
    // The process of before closes its own a moment later.
    await expect
      .poll(() =>
        onServer(
          `ss -Hltn 'sport = :443 or sport = :80' | awk '{ print $4 }' | grep -v '^${gatewayAddress}:' | sort`,
        ),
      )
      .toBe(`${ipv4}:443\n${ipv4}:80`);
    expect(await site("https", "dashboard")).toMatch(/ 200$/);
    expect((await install(machine, edge())).exitCode).toBe(0);
  });

  test("is told the client, if it asks for that: nginx", async () => {
    const { stdout } = await inLab(["ip", "route", "get", ipv4]);
    const [, client = ""] = / src (\S+)/.exec(stdout) ?? [];
    await nginxInPlace(machine);
    const told = edge({ otherSites: { ...otherSites, proxyProtocol: true } });
    expect((await install(machine, told)).exitCode).toBe(0);
    for (const scheme of ["https", "http"]) {
      expect(await site(scheme, "dashboard")).toBe(
        `nginx, asked by ${client} 200`,
      );
    }
    await caddyAgain(machine);
    expect((await install(machine, edge())).exitCode).toBe(0);
    expect(await site("https", "dashboard")).toBe(
      "dashboard, asked by 127.0.0.1 200",
    );
  });
});

test("secrets, and the ways to tell HAProxy, are root's alone", async () => {
  const stat = await onServer(
    `cd /var/lib/daytona-edge && stat -c '%a %U %n' store/certificate.json store/egress-credentials.json certificate/credentials.env /run/daytona-edge/master.sock /run/daytona-gateway/master.sock`,
  );
  expect(stat.split("\n")).toEqual([
    "600 root store/certificate.json",
    "600 root store/egress-credentials.json",
    "600 root certificate/credentials.env",
    "600 root /run/daytona-edge/master.sock",
    "600 root /run/daytona-gateway/master.sock",
  ]);
});

describe("from outside", () => {
  /** What curl ends with: 0 for an answer, 28 when nobody takes the connection. */
  const curl = async (port: number) => {
    const url = `http://${ipv4}:${String(port)}/`;
    const { exitCode } = await labCurl([
      ...["--connect-timeout", "5", "-m", "60", "-o", "/dev/null", url],
    ]);
    return exitCode;
  };

  test.each([
    [4000, "Daytona's proxy", 28],
    [8404, "the edge's figures", 28],
    [3000, "Daytona's API", 0],
  ])("port %i, %s", async (port, _, exitCode) => {
    expect(await curl(port)).toBe(exitCode);
  });

  test("the server itself still reaches what is closed", async () => {
    for (const port of [4000, 8404]) {
      const { exitCode } = await labExec(machine, [
        ..."curl -sS -m 60 -o /dev/null".split(" "),
        `http://127.0.0.1:${String(port)}/`,
      ]);
      expect(exitCode).toBe(0);
    }
  });

  test("without the server's firewall they answer", async () => {
    await onServer("nft delete table inet daytona_server");
    expect(await curl(4000)).toBe(0);
    expect(await curl(8404)).toBe(0);
    await onServer("systemctl reload daytona-server-firewall");
    expect(await curl(4000)).toBe(28);
  });
});

describe("operators' commands", () => {
  const { tool } = toolsFor(workDir);
  const said = async (name: string, ...args: string[]) => {
    const { stdout, stderr, exitCode } = await tool(name, ...args);
    expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
    return stdout;
  };

  test("outputs are the stack's, and secret until asked for", async () => {
    const { stdout } = await stack("up", 'access="signed"');
    const { outputs } = JSON.parse(stdout) as { outputs: object };
    expect(outputs).toMatchObject({ access: { key: "[secret]" } });
    expect(JSON.parse(await said("outputs"))).toEqual(outputs);
  });

  test("a token is refused once its sandbox is revoked, and no other's", async () => {
    const outputs = readOutputs(
      JSON.parse(await said("outputs", "--show-secrets")),
    );
    const { key } = outputs.access;
    if (!key) throw new Error("no key");
    const status = async (sandbox: string) => {
      const { stdout } = await labCurl([
        ...["-o", "/dev/null", "-w", "%{http_code} %header{x-sandbox-error}"],
        ...["-H", `X-Sandbox-Token: ${await tokens[sandbox]}`],
        `https://${sandbox}-3000.${domain}/headers`,
      ]);
      return stdout.trim();
    };
    const signed = (sandbox: string) =>
      signSandboxToken(key, { sandbox, ports: "*" });
    const tokens: Record<string, Promise<string>> = {
      [FIRST_SANDBOX]: signed(FIRST_SANDBOX),
      [SECOND_SANDBOX]: signed(SECOND_SANDBOX),
    };
    await expect.poll(() => status(FIRST_SANDBOX)).toBe("200");
    const other = await status(SECOND_SANDBOX);
    expect(await said("sandbox", "revoke", FIRST_SANDBOX)).toContain(
      `Revoked ${FIRST_SANDBOX} on the stack host: what was issued until now is refused`,
    );
    expect(await status(FIRST_SANDBOX)).toBe("403 token_revoked");
    expect(await status(SECOND_SANDBOX)).toBe(other);
    expect(await said("sandbox", "revocations")).toContain(FIRST_SANDBOX);
    await said("sandbox", "restore", FIRST_SANDBOX);
    expect(await status(FIRST_SANDBOX)).toBe("200");
    expect((await stack("up")).exitCode).toBe(0);
  });

  test("a bad document is written nowhere", async () => {
    await onServer(
      "cd /var/lib/daytona-edge/store && cp -p revocations.json ../aside && echo nonsense >revocations.json",
    );
    const { stderr, exitCode } = await tool("sandbox", "revoke", FIRST_SANDBOX);
    await onServer(
      "cd /var/lib/daytona-edge/store && mv ../aside revocations.json",
    );
    expect(stderr).toContain("revocations.json in the store cannot be read");
    expect(exitCode).toBe(1);
  });

  test("what a sandbox wanted and did not get is among the denials", async () => {
    const name = `${crypto.randomUUID().slice(0, 8)}.example.org`;
    await sandboxesOf(machine, domain).inSandbox(
      `dig +time=60 +tries=1 ${name}`,
    );
    await expect
      .poll(() => said("egress", "denials", "--since", "10m", "--json"))
      .toContain(`"wanted":"${name} A","by":"resolver"`);
  });
});

const { inSandbox, allowedStatus, isUp } = sandboxesOf(machine, domain);
/** A sandbox that starts anew trusts nobody yet, and is served once the gateway has seen it. */
const trusts = async () => (await inSandbox(trustAuthority)).exitCode;
const { doctor, verify } = toolsFor(workDir);

describe("the road out", () => {
  test("leads to what is listed", async () => {
    expect((await inSandbox(trustAuthority)).exitCode).toBe(0);
    expect(await allowedStatus()).toBe("200");
  });

  test("keeps every promise that can be tried from here", async () => {
    const { tried, failed } = await verify();
    expect(failed).toEqual([]);
    expect(tried).toBeGreaterThan(15);
  });

  test("the bridge was found by its address", async () => {
    expect(await onServer("nft list set inet daytona_egress walled")).toContain(
      '"br-sandbox"',
    );
  });

  test("and by no known way to anything else", async () => {
    const { tried, failed } = await verify("--bypass");
    expect(failed).toEqual([]);
    expect(tried).toBeGreaterThan(25);
  });

  test("Docker may start again: its rules come and go beside these", async () => {
    const table = () =>
      onServer(
        "nft list table inet daytona_egress; nft list table inet daytona_server",
      );
    const was = await table();
    await onServer(
      "systemctl restart docker.service && systemctl restart daytona-host.service daytona.service",
    );
    // Counters count on.
    const plain = (text: string) => text.replace(/packets \d+ bytes \d+/g, "");
    expect(plain(await table())).toBe(plain(was));
    // Daytona and its sandboxes start again, too.
    await expect
      .poll(() =>
        labExec(machine, "curl -sS -m 10 http://127.0.0.1:4000/".split(" ")),
      )
      .toMatchObject({ exitCode: 0 });
    await expect.poll(isUp).toBe(true);
    await expect.poll(trusts).toBe(0);
    expect(await allowedStatus()).toBe("200");
  });

  test("a bridge that comes later is closed at once, and served soon", async () => {
    // As Daytona makes one for two sandboxes; Docker chooses its addresses.
    const name = "3f2c1a52-7d3b-4c1e-9a44-2b6a1e0d9c99";
    const later = (line: string) => onServer(`docker exec ${name} ${line}`);
    await onServer(
      `docker network create -o com.docker.network.bridge.name=br-later daytona-link-later &&
       docker run -d --name ${name} --privileged --network daytona-link-later daytona-lab sleep infinity`,
    );
    const curl = (url: string) =>
      later(
        `curl -sS -k -m 30 -o /dev/null -w '%{http_code} %{exitcode}' ${url}`,
      );
    // 7: refused at once, by us. Docker's own policy would let it wait.
    expect(await curl(`https://${webHosts.forbidden.ipv4}/`)).toBe("000 7");
    await expect
      .poll(() => onServer("nft list set inet daytona_egress walled"))
      .toContain("br-later");
    expect(await curl(`http://${gatewayAddress}/ca.pem`)).toBe("200 0");
    expect(await curl(`https://${webHosts.forbidden.ipv4}/`)).toBe("000 7");
    await onServer(
      `docker rm -f ${name} && docker network rm daytona-link-later`,
    );
  });
});

test("after a boot everything is back, and closed before the first sandbox", async () => {
  const booted = await run("server.ts", "reboot", machine);
  expect(booted.stderr).toBe("");
  const order = await onServer(
    "for unit in daytona-gateway-firewall daytona-server-firewall; do systemctl show -p ActiveEnterTimestampMonotonic --value $unit; done; systemctl show -p ExecMainStartTimestampMonotonic --value docker",
  );
  const [egress, server, docker] = order.split("\n").map(Number);
  for (const wall of [egress, server]) {
    // 0 is that of a unit that never started.
    expect(wall).toBeGreaterThan(0);
    expect(wall).toBeLessThan(docker ?? 0);
  }
  await expect
    .poll(async () => {
      const { stdout } = await labCurl([
        "-o",
        "/dev/null",
        "-w",
        "%{http_code}",
        app,
      ]);
      return stdout;
    })
    .toBe("200");
  await expect.poll(isUp).toBe(true);
  await expect.poll(trusts).toBe(0);
  await expect.poll(allowedStatus).toBe("200");
});

/** The edge's bundle with one file changed. */
function edgeWith(path: RegExp, change: (content: string) => string): Bundle {
  const bundle = edge();
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
    const { exitCode, stderr } = await install(machine, edgeWith(path, change));
    const { answered, failed } = await end();
    expect(stderr).toMatch(words);
    expect(exitCode).toBe(1);
    expect(failed).toEqual([]);
    expect(answered).toBeGreaterThan(0);
    expect(await installed()).toBe(was);
  });

  test("that HAProxy cannot start with is taken back", async () => {
    const was = await installed();
    // Seen only when it is under way: for that moment nobody is served.
    const { stderr, exitCode } = await install(
      machine,
      edgeWith(/haproxy\.cfg$/, (text) =>
        text.replace("global\n", "global\n  chroot /nowhere\n"),
      ),
    );
    // Its master may be ready for systemd before its worker has failed.
    expect(stderr).toMatch(
      /(daytona-edge\.service does not start|is not 30 s after the change)(.*\n)*.*installed before is back in its place, and serves/,
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
      machine,
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
    expect((await install(machine, edge())).exitCode).toBe(0);
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

describe("a change by hand", () => {
  /** Each with what the doctor says of it. */
  const edits: [edit: string, row: string, change: string][] = [
    [
      "echo '# by hand' >>/etc/daytona-edge/edge/haproxy.cfg",
      "edge",
      "file /etc/daytona-edge/edge/haproxy.cfg: other content",
    ],
    [
      "chmod 666 /usr/local/lib/daytona-edge/edge-agent.cjs",
      "edge",
      "file /usr/local/lib/daytona-edge/edge-agent.cjs: mode and owner 666 root instead of 644 root",
    ],
    [
      "rm /etc/daytona-edge/gateway/redact.lua",
      "gateway",
      "file /etc/daytona-edge/gateway/redact.lua: missing",
    ],
    [
      "sed -i /^ProtectSystem=/d /etc/systemd/system/daytona-gateway-agent.service",
      "gateway",
      "file /etc/systemd/system/daytona-gateway-agent.service: other content",
    ],
    [
      "mkdir -p /etc/systemd/system/daytona-edge.service.d && printf '[Service]\\nUser=root\\n' >/etc/systemd/system/daytona-edge.service.d/override.conf && systemctl daemon-reload",
      "edge",
      "file /etc/systemd/system/daytona-edge.service.d/override.conf: none of the stack",
    ],
    [
      "systemctl --quiet disable --now daytona-certificate.timer",
      "certificate",
      "unit daytona-certificate.timer: disabled instead of enabled",
    ],
    [
      "systemctl stop daytona-edge-agent.service",
      "edge",
      "unit daytona-edge-agent.service: inactive instead of active",
    ],
    [
      "nft insert rule inet daytona_egress forward ip saddr 172.20.0.5 accept",
      "gateway",
      "rules: unexpected: ip saddr 172.20.0.5 accept",
    ],
    [
      "nft flush chain inet daytona_server from_outside",
      "server",
      `rules: missing: ip saddr ${ipv4} accept`,
    ],
    [
      "mkdir /etc/systemd/system/daytona-certificate@issue.service.d && printf '[Service]\\nUser=root\\n' >/etc/systemd/system/daytona-certificate@issue.service.d/override.conf",
      "certificate",
      "file /etc/systemd/system/daytona-certificate@issue.service.d/override.conf: none of the stack",
    ],
    [
      "touch /etc/systemd/system/daytona-gateway-resolver.service",
      "gateway",
      "unit daytona-gateway-resolver.service: changed since systemd read it",
    ],
    [
      // In this order: the agent loads all anew when there is none.
      "ip rule add priority 10 iif br-sandbox fwmark 0/0x2 blackhole && ip rule delete priority 10 iif br-sandbox fwmark 0/0x3000000",
      "gateway",
      "rules: missing: 10: from all fwmark 0/0x3000000 iif br-sandbox blackhole",
    ],
    [
      "echo >>/var/lib/daytona-edge/certificate/credentials.env",
      "certificate/credentials.env",
      "file /var/lib/daytona-edge/certificate/credentials.env: other content",
    ],
  ];
  const wanting = async () => (await doctor()).wanting;

  test("is none at first, says doctor", async () => {
    // An install by hand, in the suites above, has another word.
    expect((await stack("up")).exitCode).toBe(0);
    const { rows } = await doctor();
    expect(rows.map(({ what }) => what)).toEqual(
      expect.arrayContaining([
        "certificate",
        `*.${domain}`,
        `other sites, https at ${otherSites.https}`,
        `other sites, http at ${otherSites.http}`,
        ...[
          ...["base-system", "server", "certificate", "edge", "gateway"],
          "programs",
        ].map((name) => `${ipv4}: ${name}`),
      ]),
    );
    await expect.poll(wanting).toEqual([]);
  });

  test("is named by doctor, whatever it is", async () => {
    // A second bridge of sandboxes is no change, and must hide none.
    await onServer(
      "ip link add br-second type bridge && ip address add 172.20.78.1/24 dev br-second && ip link set br-second up",
    );
    await expect
      .poll(() => onServer("nft list table inet daytona_egress"))
      .toContain("br-second");
    await expect.poll(wanting).toEqual([]);
    await onServer(edits.map(([edit]) => edit).join(" && "));
    const { touched } = JSON.parse((await stack("preview")).stdout) as {
      touched: Record<string, string>;
    };
    // Each has an install of its own, and nothing else is done.
    expect(touched).toEqual({
      "host-certificate-credentials-write": "update",
      "host-certificate-install": "update",
      "host-edge-install": "update",
      [`host-firewall-${ipv4}-install`]: "update",
      [`host-gateway-${ipv4}-install`]: "update",
    });
    await onServer("systemctl stop caddy");
    const found = await wanting();
    await onServer("systemctl start caddy");
    expect(found.join("\n")).toMatch(
      /other sites, https at 127\.0\.0\.1:8443: .*refused/,
    );
    for (const [, row, change] of edits) {
      const said = found.find((line) => line.startsWith(`${ipv4}: ${row}: `));
      expect(said).toContain(change);
    }
  });

  test("is repaired by up, and then there is none", async () => {
    const { stdout, stderr } = await stack("up");
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toMatchObject({ changed: true });
    // One edit took a rule away: the agent may have been there first.
    await onServer("rm -f /run/daytona-gateway/firewall-restored");
    await expect.poll(wanting, { interval: 1_000 }).toEqual([]);
    const { touched } = JSON.parse((await stack("preview")).stdout) as {
      touched: Record<string, string>;
    };
    expect(touched).toEqual({});
    await onServer("ip link delete br-second");
  });

  test("of nftables, by somebody who empties it, is a warning", async () => {
    await onServer("nft flush ruleset");
    await expect
      .poll(() => onServer("nft list tables"))
      .toContain("inet daytona_egress");
    await expect
      .poll(async () => (await wanting()).join())
      .toMatch(/firewall: was emptied by somebody and loaded again 1 times/);
    await onServer(
      "rm /run/daytona-gateway/firewall-restored; systemctl restart docker daytona-host daytona daytona-server-firewall",
    );
    await expect.poll(wanting, { interval: 1_000 }).toEqual([]);
  });

  test("of all there is: whatever was installed is gone", async () => {
    await onServer(
      "cd /etc/systemd/system; rm -r /var/lib/daytona-edge/installed /etc/daytona-edge daytona-certificate* daytona-edge* daytona-gateway* daytona-server*",
    );
    expect(await wanting()).toContain(`${ipv4}: edge: not installed`);
    expect((await stack("up")).stderr).toBe("");
    await expect.poll(wanting, { interval: 1_000 }).toEqual([]);
  });

  test("of records: another one beside the stack's", async () => {
    const record = { type: "A", name: `*.${domain}`, content: "198.18.0.99" };
    const { id } = await cloudflare<{ id: string }>(
      "",
      ...["-X", "POST", "--json", JSON.stringify({ ...record, ttl: 300 })],
    );
    const { stderr, exitCode } = await stack("up");
    await cloudflare(`/${id}`, "-X", "DELETE");
    expect(stderr).toMatch(
      new RegExp(
        `${domain} does not lead to the edge alone:\n *\\*\\.${domain}: ns1\\.\\S+, ns2\\.\\S+ answers (198\\.18\\.0\\.99, ${ipv4}|${ipv4}, 198\\.18\\.0\\.99) as A instead of ${ipv4}\n *Where .* type: pulumi up --refresh\n *Remove the records that are not the stack's`,
      ),
    );
    expect(exitCode).toBe(1);
  });

  test("of records: the name leads somewhere else", async () => {
    const [record] = await cloudflare<{ id: string }[]>(
      `?name=*.${domain}&type=A`,
    );
    const address = (content: string) =>
      cloudflare(
        `/${record?.id ?? ""}`,
        ...["-X", "PATCH", "--json", JSON.stringify({ content })],
      );
    await address("198.18.0.99");
    const found = await wanting();
    await address(ipv4);
    expect(found.join("\n")).toMatch(
      new RegExp(`198\\.18\\.0\\.99 as A instead of ${ipv4}`),
    );
  });
});

test("destroy returns the server to what it was", async () => {
  const { stderr, exitCode } = await stack("destroy");
  expect(stderr).toBe("");
  expect(exitCode).toBe(0);
  await portsToCaddy(machine);
  expect(changes(before, await inventory(machine))).toEqual([]);
  await expect.poll(() => site("https", "dashboard")).toMatch(/ 200$/);
});
