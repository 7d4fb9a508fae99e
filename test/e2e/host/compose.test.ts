/**
 * A Daytona server as the compose file makes it: the runner in a container, with
 * a Docker of its own, and sandboxes on a bridge in there.
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
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { daytonaMachines } from "../../../scripts/lab/machine-addresses.ts";
import { fixtureProgram } from "../fixture-program.ts";
import {
  FIRST_SANDBOX,
  SECOND_SANDBOX,
  inLab,
  labCurl,
  labExec,
} from "../lab.ts";
import { removeNames } from "./names.ts";
import { sandboxesOf, trustAuthority } from "./sandboxes.ts";
import { toolsFor } from "./tools.ts";

vi.setConfig({ testTimeout: 1_200_000, hookTimeout: 1_200_000 });

const machine = "server-compose";
const { ipv4 } = daytonaMachines[machine];
const domain = "compose.daytona.defikit.net";
const workDir = mkdtempSync(join(tmpdir(), "daytona-edge-compose-"));
const env = { HOST_DOMAIN: domain, HOST_SERVERS: machine };
const run = (program: string, ...args: string[]) =>
  inLab([process.execPath, join(import.meta.dirname, program), ...args], {
    env,
  });
const { inSandbox, allowedStatus, isUp } = sandboxesOf(machine, domain);
const { doctor, verify } = toolsFor(workDir);

/** @throws Error with what it said when it fails */
async function onServer(line: string, input?: string): Promise<string> {
  const { stdout, stderr, exitCode } = await labExec(
    machine,
    ["sh", "-ec", line],
    input === undefined ? {} : { input },
  );
  if (exitCode !== 0) throw new Error(`${line}: ${stdout}${stderr}`);
  return stdout.trim();
}
const inRunner = (line: string) =>
  onServer(`docker exec -i daytona-runner-1 sh -c '${line}'`);

/** Beyond the addresses of the sandboxes that Daytona makes. */
const flooder = {
  id: "6d0f2b1c-9f0e-4a57-8d3a-1b2c3d4e5f60",
  address: "172.20.255.9",
};
const flooders = [
  flooder,
  { id: "7e1a3c2d-0a1f-4b68-9e4b-2c3d4e5f6a71", address: "172.20.255.10" },
];
/** Where nobody but the suite listens. */
const port = 3003;
/** World, server by two addresses, neighbours of the runner and others, metadata, runner. */
const targets = [
  "198.18.0.2",
  ipv4,
  "172.18.0.1",
  "172.18.0.2",
  "172.19.0.2",
  "169.254.169.254",
  "172.20.0.1",
];

/**
 * Datagrams that have come anywhere: out of the runner's container, and to it.
 * From one sandbox to another Docker itself lets none pass.
 */
async function arrived(): Promise<number[]> {
  const out = await onServer(
    "nft list table bridge flood | sed -n 's/.*packets \\([0-9]*\\) .*/\\1/p'",
  );
  const toRunner = await inRunner("wc -c </var/lib/docker/udp-3003");
  return [Number(out), Number(toRunner)];
}
async function sent(id: string): Promise<number> {
  return Number(await inRunner(`docker logs --tail 1 ${id}`));
}

const startedAt = () =>
  onServer(
    `docker inspect --format "{{.Name}} {{.State.StartedAt}}" $(docker ps --quiet --no-trunc) | sort
     docker exec daytona-runner-1 sh -c 'docker inspect --format "{{.Name}} {{.State.StartedAt}}" $(docker ps --quiet --no-trunc)' | sort`,
  );

/** A container of somebody else's reaches the world. */
const neighbourStatus = (container: string) =>
  onServer(
    `docker exec ${container} curl -sSk -m 5 -o /dev/null -w '%{http_code}' https://198.18.0.2/`,
  );

beforeAll(async () => {
  await removeNames(domain);
  expect((await run("server.ts", "boot", machine)).stderr).toBe("");
  // In the runner it is below what its Docker holds, and outlives its container.
  await onServer(
    "cat >/srv/runner-docker/flood.mjs",
    fixtureProgram("datagram-flood.ts"),
  );
  await onServer(counter);
  for (const { id, address } of flooders) {
    const all = [...targets, ...flooders.map((it) => it.address)].join(" ");
    await inRunner(
      `docker run --detach --restart always --privileged --name ${id} --network runner-bridge --ip ${address} \
         --volume /var/lib/docker/flood.mjs:/flood.mjs:ro daytona-lab node /flood.mjs ${String(port)} ${all}`,
    );
  }
});

/** Counts what comes from a container past the wall, and goes anywhere. */
const counter = `nft 'table bridge flood { chain count { type filter hook prerouting priority -200; iifname "veth*" udp dport ${String(port)} counter; }; }'`;

afterAll(async () => {
  await run("server.ts", "remove", machine);
  rmSync(workDir, { recursive: true });
});

test("before there is a gateway, what a sandbox sends arrives everywhere", async () => {
  await expect
    .poll(async () => (await arrived()).every((count) => count > 0))
    .toBe(true);
  // The log of what is refused is for others until the events.
  for (const { id } of flooders) await inRunner(`docker stop --time 1 ${id}`);
});

let before = "";

test("one up finds the runner's network and walls it; nothing is restarted", async () => {
  before = await startedAt();
  const { stdout, stderr } = await run("stack.ts", "up", workDir);
  expect(stderr).toBe("");
  expect(JSON.parse(stdout)).toMatchObject({
    outputs: { edge: { ipv4 }, egress: { gateway: "169.254.20.1" } },
  });
  const again = await run("stack.ts", "up", workDir);
  expect(JSON.parse(again.stdout)).toMatchObject({ changed: false });
  expect(await startedAt()).toBe(before);
});

test("ingress: a sandbox's port is reached by its name", async () => {
  const { stdout } = await labCurl([
    ...["-o", "/dev/null", "-w", "%{http_code}"],
    `https://${FIRST_SANDBOX}-3000.${domain}/headers`,
  ]);
  expect(stdout).toBe("200");
});

test("egress: what is listed, by both sandboxes", async () => {
  for (const id of [FIRST_SANDBOX, SECOND_SANDBOX]) {
    const { exitCode, result } = await inSandbox(trustAuthority, id);
    expect({ exitCode, result }).toMatchObject({ exitCode: 0 });
  }
  for (const url of [
    "https://openrouter.ai/api/v1/models",
    "https://api.anthropic.com/v1/messages",
    "https://api.github.com/zen",
  ]) {
    const { result } = await inSandbox(
      `curl -sS -m 60 -o /dev/null -w '%{http_code}' ${url}`,
    );
    expect([url, result.trim()]).not.toEqual([url, "000"]);
  }
  expect(await allowedStatus()).toBe("200");
});

test.each([
  ["the world by address", "https://198.18.0.2/"],
  ["the world by name", "https://example.com/"],
  ["the server's SSH", `http://${ipv4}:22/`],
  ["the server at the runner's network", "http://172.18.0.1:22/"],
  ["the runner's API", "http://172.20.0.1:3003/"],
  ["the runner's API as it is published", `http://${ipv4}:3003/`],
  ["the runner's Docker", "http://172.20.0.1:2375/_ping"],
  ["the runner's Docker at its own address", "http://172.18.0.3:2375/_ping"],
  ["a neighbour of the runner", "http://172.18.0.2:6379/"],
  ["another project's container", "http://172.19.0.2:6379/"],
  ["metadata of a cloud", "http://169.254.169.254/"],
])("egress refuses %s", async (_, url) => {
  const { exitCode, result } = await inSandbox(
    `curl -sSk -m 5 -o /dev/null ${url}`,
  );
  expect(result).toMatch(/Could(n't| not) (connect|resolve)/);
  expect(exitCode).not.toBe(0);
});

test("no known way out is open, nor a name of anybody", async () => {
  const { tried, failed } = await verify("--bypass");
  expect(failed).toEqual([]);
  expect(tried).toBeGreaterThan(25);
  // Docker's resolver asks for sandboxes in the runner's own network.
  const { result } = await inSandbox(
    "dig +time=2 +tries=1 @127.0.0.11 $(hostname).example.com A; dig +time=2 +tries=1 @127.0.0.11 api.github.com A +short",
  );
  expect(result).toContain("NXDOMAIN");
  expect(result).toContain("169.254.20.1");
});

test("the log says whose request it was, by the sandbox's own address", async () => {
  const rows = await onServer(
    "journalctl --sync; journalctl -o cat -t daytona-gateway-log | tail -n 50",
  );
  expect(rows).toMatch(/"172\.20\.0\.\d+"/);
});

test("the runner, its neighbours and other projects reach what they reached", async () => {
  expect(await neighbourStatus("daytona-runner-1")).not.toBe("000");
  expect(await neighbourStatus("daytona-redis-1")).not.toBe("000");
  expect(await neighbourStatus("shop-web-1")).not.toBe("000");
  expect(await inRunner("getent hosts redis")).toContain("172.18.0.2");
});

test("a sandbox of the server's own Docker is closed: the gateway is in the runner's network", async () => {
  const id = "8f2b4d3e-1b2a-4c79-8f5c-3d4e5f6a7b82";
  await onServer(
    `docker run --detach --name ${id} --network shop_default daytona-lab sleep infinity`,
  );
  await expect(neighbourStatus(id)).rejects.toThrow(
    /Failed to connect|timed out/,
  );
  await onServer(`docker rm --force ${id}`);
});

test("doctor finds all in order", async () => {
  await expect
    .poll(async () => (await doctor()).wanting, { interval: 1_000 })
    .toEqual([]);
});

test("doctor tells who has opened the server's wall, and it comes back when it is gone", async () => {
  await onServer("nft flush chain bridge daytona_runner from_containers");
  await expect
    .poll(async () => (await doctor()).wanting.join(), { interval: 1_000 })
    .toContain("veth*");
  await onServer("nft delete table bridge daytona_runner");
  await expect
    .poll(async () => (await doctor()).wanting, { interval: 1_000 })
    .toEqual([]);
});

test("doctor names what is known to be wrong with Daytona itself", async () => {
  await onServer("docker stop --time 1 daytona-runner-1");
  await expect
    .poll(async () => (await doctor()).wanting.join(), { interval: 1_000 })
    .toContain("the runner's container daytona-runner-1 is exited");
  await onServer("docker start daytona-runner-1");
  await expect
    .poll(() => isUp().then(allowedStatus, () => ""), { timeout: 180_000 })
    .toBe("200");
});

test("sandboxes that send all the time", async () => {
  for (const { id } of flooders) await inRunner(`docker start ${id}`);
  await expect.poll(() => sent(flooder.id)).toBeGreaterThan(0);
});

const restart = "docker restart --time 1 daytona-runner-1";
const events: readonly {
  readonly event: string;
  readonly cause: string;
  readonly repair?: string;
}[] = [
  { event: "runner restarted", cause: restart },
  {
    event: "runner killed",
    cause: `kill -9 "$(docker inspect --format "{{.State.Pid}}" daytona-runner-1)"`,
  },
  {
    event: "runner's own Docker killed, then the runner restarted",
    cause: "docker exec daytona-runner-1 pkill -9 dockerd; sleep 2",
    repair: restart,
  },
  {
    event: "runner made anew",
    cause:
      "docker rm --force daytona-runner-1; /usr/local/lib/daytona-lab/compose-up.sh",
  },
  { event: "server's Docker restarted", cause: "systemctl restart docker" },
  {
    event: "our firewall reloaded",
    cause: "systemctl reload daytona-gateway-firewall",
  },
  {
    event: "runner restarted without our agent",
    cause: `systemctl stop daytona-gateway-agent; ${restart}; sleep 5`,
    repair: "systemctl start daytona-gateway-agent",
  },
  {
    event: "runner restarted without our watch",
    cause: `systemctl stop daytona-gateway-runner; ${restart}; sleep 5`,
    repair: "systemctl start daytona-gateway-runner",
  },
];
const figures: string[] = [];

/** Nothing arrives from before an event until all is served again. */
async function expectClosed(
  event: string,
  happen: () => Promise<unknown>,
): Promise<void> {
  const counts = await arrived();
  const since = Date.now();
  await happen();
  await expect
    .poll(() => isUp().then(allowedStatus, () => ""), {
      interval: 200,
      timeout: 180_000,
    })
    .toBe("200");
  figures.push(
    `${event}: served after ${((Date.now() - since) / 1000).toFixed(1)} s`,
  );
  // They send again, those of a new container from their first instruction.
  await expect.poll(() => sent(flooder.id)).toBeGreaterThan(0);
  const after = await arrived();
  expect(after).toEqual(counts);
}

test.each(events)(
  "nothing gets out: $event",
  async ({ event, cause, repair }) => {
    await expectClosed(event, async () => {
      await onServer(cause);
      if (repair) await onServer(repair);
    });
  },
);

test("nothing gets out: the server reboots", async () => {
  // Counted from the first frame on: by a unit that is there before Docker.
  await onServer(
    `cat >/etc/systemd/system/count.service <<'UNIT'
[Unit]
DefaultDependencies=no
Before=docker.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=${counter}
[Install]
WantedBy=multi-user.target
UNIT
     systemctl enable --quiet count; nft delete table bridge flood`,
  );
  await onServer("systemctl start count");
  await expectClosed("reboot", async () => {
    expect((await run("server.ts", "reboot", machine)).stderr).toBe("");
  });
  console.log(figures.join("\n"));
});

test("where nobody may ask the roots, names are asked of a forwarder; builds are walled by the same up", async () => {
  const build = () =>
    inRunner(
      `printf "FROM daytona-lab\\nRUN curl -sSk -m 5 -o /dev/null https://198.18.0.2/\\n" | docker build --no-cache - 2>&1 || true`,
    );
  expect(await build()).toContain("Successfully built");
  before = await startedAt();
  await onServer(
    "nft 'table ip no_roots { chain out { type filter hook forward priority 0; ip daddr 198.18.0.2 meta l4proto { tcp, udp } th dport 53 drop; }; }'",
  );
  const looked = () =>
    onServer(
      "nsenter --net=/run/daytona-gateway-runner/namespace dig +short +time=4 +tries=1 @127.0.0.1 -p 5353 api.github.com | grep '^[0-9]' || true",
    );
  await onServer("systemctl restart daytona-gateway-recursor");
  expect(await looked()).toBe("");
  const gateway = { builds: "enforce", forwarders: ["8.8.8.8"] };
  const { stderr } = await inLab(
    [
      ...[process.execPath, join(import.meta.dirname, "stack.ts")],
      ...["up", workDir],
    ],
    { env: { ...env, HOST_GATEWAY: JSON.stringify(gateway) } },
  );
  expect(stderr).toBe("");
  expect(await looked()).not.toBe("");
  expect(await allowedStatus()).toBe("200");
  expect(await build()).toMatch(
    /Failed to connect|returned a non-zero code: 7/,
  );
  expect(await startedAt()).toBe(before);
  expect(await neighbourStatus("shop-web-1")).not.toBe("000");
  await onServer("nft delete table ip no_roots");
});

test("destroy leaves nothing, and sandboxes reach the world as before", async () => {
  before = await startedAt();
  const { stderr } = await run("stack.ts", "destroy", workDir);
  expect(stderr).toBe("");
  expect(
    await onServer(
      "nft list tables | grep daytona_ || true; docker exec daytona-runner-1 nft list tables | grep daytona_ || true; systemctl list-unit-files --no-legend 'daytona-[egs]*' || true; ls -d /var/lib/daytona-edge /etc/daytona-edge /run/daytona-* /usr/local/lib/daytona-edge 2>/dev/null || true; mount | grep daytona-gateway || true",
    ),
  ).toBe("");
  expect(await startedAt()).toBe(before);
  const { result } = await inSandbox(
    "curl -sSk -m 20 -o /dev/null -w '%{http_code}' https://198.18.0.2/",
  );
  expect(result.trim()).not.toBe("000");
});
