/**
 * `npm run doctor -- --daytona` at a Daytona server as the compose file makes it,
 * with nothing of ours: each cause is made for real there, and undone.
 *
 * @module-tag surroundings
 * @module-tag host
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { checkout } from "../../../scripts/checkout.ts";
import { daytonaMachines } from "../../../scripts/lab/machine-addresses.ts";
import { labSecrets } from "../../../scripts/lab/secrets.ts";
import { cloudflare } from "../internet.ts";
import { FIRST_SANDBOX, inLab, labCurl, labExec } from "../lab.ts";
import { removeNames } from "./names.ts";
import { operator } from "./stack-file.ts";

vi.setConfig({ testTimeout: 300_000, hookTimeout: 1_200_000 });

const machine = "server-compose";
const { ipv4 } = daytonaMachines[machine];
const domain = "doctor.daytona.defikit.net";
const workDir = mkdtempSync(join(tmpdir(), "daytona-edge-doctor-"));
const api = `http://${ipv4}:3000`;
const server = (verb: string) =>
  inLab(
    [process.execPath, join(import.meta.dirname, "server.ts"), verb, machine],
    { env: { HOST_DOMAIN: domain, HOST_SERVERS: machine } },
  );

/** @throws Error with what it said when it fails */
async function onServer(line: string): Promise<string> {
  const { stdout, stderr, exitCode } = await labExec(machine, [
    ...["sh", "-ec", line],
  ]);
  if (exitCode !== 0) throw new Error(`${line}: ${stdout}${stderr}`);
  return stdout.trim();
}
let runner = "daytona-runner-1";
const inRunner = (line: string) =>
  onServer(`docker exec ${runner} sh -ec '${line}'`);

interface Report {
  readonly ok: boolean;
  readonly summary: string;
  readonly causes: readonly {
    readonly id: string;
    readonly title: string;
    readonly state: string;
    readonly because: string;
    readonly fix?: readonly string[];
  }[];
}

/** The user's own ssh: known hosts and keys are theirs. */
const sshConfig = join(workDir, "ssh_config");
function writeUser(): void {
  const { host, operator: key } = labSecrets();
  const identity = join(workDir, "identity");
  const knownHosts = join(workDir, "known_hosts");
  writeFileSync(identity, key.private, { mode: 0o600 });
  writeFileSync(knownHosts, `${ipv4} ${host.public}\n`);
  writeFileSync(
    sshConfig,
    `IdentityFile ${identity}\nUserKnownHostsFile ${knownHosts}\n`,
  );
  writeFileSync(
    join(workDir, "ssh"),
    `#!/bin/sh\nexec /usr/bin/ssh -F ${sshConfig} "$@"\n`,
    { mode: 0o755 },
  );
}

const byKey = ["--api", api];
const bySsh = ["--ssh", `${operator}@${ipv4}`];
const byBoth = [...byKey, ...bySsh];

const doctor = (args: readonly string[], key = labSecrets().daytonaApiKey) =>
  inLab(
    [
      ...[process.execPath, join(checkout, "scripts/doctor.ts"), "--daytona"],
      ...args,
    ],
    {
      env: {
        DAYTONA_API_KEY: key,
        PATH: `${workDir}:${process.env.PATH ?? ""}`,
      },
    },
  );

async function report(
  args: readonly string[],
  key?: string,
): Promise<Report & { named: string[] }> {
  const { stdout, stderr } = await doctor([...args, "--json"], key);
  if (stdout === "") throw new Error(stderr);
  expect(stdout + stderr).not.toContain(labSecrets().daytonaApiKey);
  const said = JSON.parse(stdout) as Report;
  const named = said.causes
    .filter(({ state }) => state === "named")
    .map(({ id }) => id);
  return { ...said, named };
}

const figures: string[] = [];

/** Everything that the compose stand-in takes from the runner's container. */
const makeRunner = (edit = "") => `
  docker rm --force ${runner} >/dev/null
  sed '${edit}' /usr/local/lib/daytona-lab/compose-up.sh | sh`;
const isUp = () =>
  onServer(
    "timeout 60 sh -c 'until curl -fsS -m 2 http://127.0.0.1:3000/api/health; do sleep 0.3; done' >/dev/null 2>&1",
  );
const setting = (name: string, value: string) =>
  `sed -i '/^${name}=/d' /etc/daytona-lab/daytona.env; echo '${name}=${value}' >>/etc/daytona-lab/daytona.env`;

beforeAll(async () => {
  await removeNames(domain);
  for (const name of [domain, `*.${domain}`]) {
    const record = { type: "A", name, content: ipv4, ttl: 60, proxied: false };
    await cloudflare("", "--json", JSON.stringify(record));
  }
  expect((await server("boot")).stderr).toBe("");
  writeUser();
  // As whoever has no edge yet: Daytona's proxy by its own port.
  await onServer(
    [
      setting("PROXY_DOMAIN", `${domain}:4000`),
      setting("PROXY_PROTOCOL", "http"),
      setting("RUNNER_DOMAIN", "runner"),
      makeRunner(),
    ].join("\n"),
  );
  await isUp();
});

afterAll(async () => {
  console.log(figures.join("\n"));
  await server("remove");
  await removeNames(domain);
  rmSync(workDir, { recursive: true });
});

interface Made {
  readonly cause: string;
  /** What is named, in this order. */
  readonly named: readonly string[];
  readonly args?: readonly string[];
  readonly key?: string;
  /** @returns more arguments, such as the sandbox */
  readonly make: () => Promise<unknown>;
  readonly undo: () => Promise<unknown>;
}

const nothing = () => Promise.resolve();

/** The runner's rules as they were. */
const saveRules = "iptables-save >/tmp/rules";
const restoreRules = () => inRunner("iptables-restore </tmp/rules");

const sandboxes: string[] = [];
async function sandboxWith(env: Record<string, string>): Promise<string> {
  const said = await askApi("POST", "", "--json", JSON.stringify({ env }));
  const { id } = JSON.parse(said) as { id: string };
  sandboxes.push(id);
  return id;
}
const removeSandboxes = async () => {
  for (const id of sandboxes.splice(0)) await askApi("DELETE", `/${id}`);
};
/** Daytona's API, as its SDK asks it. @throws Error with curl's words */
async function askApi(
  method: string,
  path: string,
  ...args: string[]
): Promise<string> {
  const { stdout, stderr, exitCode } = await labCurl([
    ...["-f", "-X", method, ...args],
    ...["-H", `Authorization: Bearer ${labSecrets().daytonaApiKey}`],
    `${api}/api/sandbox${path}`,
  ]);
  if (exitCode !== 0) throw new Error(stderr);
  return stdout;
}
const ownChain = `
  container=$(docker inspect --format "{{.Id}}" ${FIRST_SANDBOX} | cut -c 1-12)
  iptables -N DAYTONA-SB-$container
  iptables -A DAYTONA-SB-$container -j DROP
  iptables -I DOCKER-USER -s 172.20.0.2/32 -j DAYTONA-SB-$container`;
/** As a tunnel beyond the server does whose ICMP messages are filtered. */
const blackHole = (verb: "-I" | "-D") =>
  onServer(`
    iptables -t mangle ${verb} FORWARD -i host0 -m length --length 1301: -j DROP
    iptables -t mangle ${verb} FORWARD -o host0 -m length --length 1301: -j DROP`);

const made: readonly Made[] = [
  { cause: "nothing: key and SSH", named: [], make: nothing, undo: nothing },
  {
    cause: "nothing: a key alone",
    ...{ named: [], args: byKey, make: nothing, undo: nothing },
  },
  {
    cause: "nothing: SSH alone",
    ...{ named: [], args: bySsh, key: "", make: nothing, undo: nothing },
  },
  {
    cause: "nothing: an unusual server",
    named: [],
    // A smaller uplink that is no black hole, a firewall that lets pass what it
    // should, and a network with the runner's addresses that it has no part in.
    make: () =>
      onServer(`
        ip link set host0 mtu 1420
        docker network create --subnet 172.20.0.0/16 other >/dev/null
        nft 'table inet own { chain forward { type filter hook forward priority 5; policy accept; tcp dport 25 drop; }; }'
        iptables -N ufw-user-forward; iptables -A FORWARD -j ufw-user-forward`),
    undo: () =>
      onServer(`
        ip link set host0 mtu 1500
        docker network rm other >/dev/null
        nft delete table inet own
        iptables -D FORWARD -j ufw-user-forward; iptables -X ufw-user-forward`),
  },
  {
    cause: "a wrong key",
    ...{ named: ["K"], args: byKey, key: "dtn_wrong" },
    ...{ make: nothing, undo: nothing },
  },
  {
    cause: "an address that does not answer",
    ...{ named: ["A"], args: ["--api", `http://${ipv4}:3999`] },
    ...{ make: nothing, undo: nothing },
  },
  {
    cause: "1: a daemon of v0.150.0, by a key alone",
    ...{ named: ["1"], args: byKey },
    make: () => sandboxWith({ LAB_DAEMON_VERSION: "v0.150.0" }),
    undo: removeSandboxes,
  },
  {
    cause: "5: PROXY_DOMAIN=proxy.localhost",
    named: ["5"],
    make: () =>
      onServer(
        `${setting("PROXY_DOMAIN", "proxy.localhost:4000")}\n${makeRunner()}`,
      ).then(isUp),
    undo: () =>
      onServer(
        `${setting("PROXY_DOMAIN", `${domain}:4000`)}\n${makeRunner()}`,
      ).then(isUp),
  },
  {
    cause: "6: RUNNER_DOMAIN=localhost, SSH alone",
    ...{ named: ["6"], args: bySsh, key: "" },
    make: () =>
      onServer(
        `${setting("RUNNER_DOMAIN", "localhost")}\n${makeRunner()}`,
      ).then(isUp),
    undo: () =>
      onServer(`${setting("RUNNER_DOMAIN", "runner")}\n${makeRunner()}`).then(
        isUp,
      ),
  },
  {
    cause: "9: large packets are lost",
    named: ["9"],
    make: () => blackHole("-I"),
    undo: () => blackHole("-D"),
  },
  {
    cause: "10: iptables -F FORWARD and nat emptied in the runner",
    named: ["10"],
    make: () =>
      inRunner(`${saveRules}; iptables -F FORWARD; iptables -t nat -F`),
    undo: restoreRules,
  },
  {
    cause: "10: the server's FORWARD chain is closed, as by ufw",
    named: ["10"],
    args: bySsh,
    make: () =>
      onServer("iptables -I FORWARD -s 172.18.0.0/16 -o host0 -j DROP"),
    undo: () =>
      onServer("iptables -D FORWARD -s 172.18.0.0/16 -o host0 -j DROP"),
  },
  {
    cause: "10: another firewall's table drops what is forwarded",
    named: ["10"],
    args: bySsh,
    make: () =>
      onServer(
        "nft 'table inet filter { chain forward { type filter hook forward priority 10; policy drop; }; }'",
      ),
    undo: () => onServer("nft delete table inet filter"),
  },
  {
    cause: "10: net.ipv4.ip_forward is 0 in the runner",
    named: ["10"],
    make: () => inRunner("echo 0 >/proc/sys/net/ipv4/ip_forward"),
    undo: () => inRunner("echo 1 >/proc/sys/net/ipv4/ip_forward"),
  },
  {
    cause: "11: iptables-legacy, which iptables does not show, drops",
    named: ["11"],
    make: () => inRunner("iptables-legacy -P FORWARD DROP"),
    undo: () => inRunner("iptables-legacy -P FORWARD ACCEPT"),
  },
  {
    cause: "12: the runner's resolver does not answer",
    named: ["12"],
    make: () => inRunner("iptables -I OUTPUT -d 127.0.0.11 -j DROP"),
    undo: () => inRunner("iptables -D OUTPUT -d 127.0.0.11 -j DROP"),
  },
  {
    cause: "13: https_proxy in the snapshot",
    named: ["13"],
    make: () => sandboxWith({ https_proxy: "http://10.9.9.9:3128" }),
    undo: removeSandboxes,
  },
  {
    cause: "14: Daytona's own chain drops all of the sandbox",
    named: ["14"],
    make: () => inRunner(`${saveRules}; ${ownChain}`),
    undo: restoreRules,
  },
  {
    cause: "15: the sandbox is stopped",
    named: ["15"],
    args: [...byBoth, "--sandbox", FIRST_SANDBOX],
    make: () => askApi("POST", `/${FIRST_SANDBOX}/stop`),
    undo: () => askApi("POST", `/${FIRST_SANDBOX}/start`),
  },
  {
    cause: "15: the runner's container is stopped, SSH alone",
    ...{ named: ["15"], args: bySsh, key: "" },
    make: () => onServer(`docker stop --time 1 ${runner}`),
    undo: () => onServer(`docker start ${runner}`).then(isUp),
  },
  {
    cause: "S: the server's own way out is closed",
    named: ["S"],
    make: () =>
      onServer(
        "nft 'table inet closed { chain output { type filter hook output priority 0; oifname host0 tcp dport 443 drop; }; chain forward { type filter hook forward priority 0; oifname host0 tcp dport 443 drop; }; }'",
      ),
    undo: () => onServer("nft delete table inet closed"),
  },
  {
    cause: "two at once: the runner's rules, and an old daemon",
    named: ["10", "1"],
    make: () =>
      sandboxWith({ LAB_DAEMON_VERSION: "v0.150.0" }).then(() =>
        inRunner(`${saveRules}; iptables -t nat -F`),
      ),
    undo: () => restoreRules().then(removeSandboxes),
  },
];

test.each(made)("$cause", async ({ cause, named, make, undo, ...how }) => {
  const made = await make();
  try {
    const start = performance.now();
    const { named: found, summary } = await report(
      [
        ...(how.args ?? byBoth),
        ...(sandboxes[0] === undefined ? [] : ["--sandbox", sandboxes[0]]),
      ],
      how.key,
    );
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    figures.push(`${cause} | ${found.join(", ") || "none"} | ${seconds} s`);
    expect({ found, summary, made }).toMatchObject({ found: named });
    // A server that is well is looked at within a minute.
    if (named.length === 0) expect(Number(seconds)).toBeLessThan(60);
  } finally {
    await undo();
  }
});

test("nothing is named when all is undone", async () => {
  await expect
    .poll(async () => (await report(byBoth)).named, { interval: 1_000 })
    .toEqual([]);
});

test("8: Compose's network has the runner's subnet", async () => {
  const all = "docker rm --force $(docker ps --all --quiet) >/dev/null";
  await onServer(
    `${all}; docker network rm daytona_daytona-network >/dev/null
     sed 's,172.18.0.0/16,172.20.0.0/16,' /usr/local/lib/daytona-lab/compose-up.sh | sh`,
  );
  try {
    await expect
      .poll(async () => (await report(bySsh, "")).named, { interval: 2_000 })
      .toEqual(["8"]);
    figures.push("8: Compose's network has the runner's subnet | 8");
  } finally {
    await onServer(
      `${all}; docker network rm daytona_daytona-network >/dev/null
       /usr/local/lib/daytona-lab/compose-up.sh`,
    );
    await isUp();
  }
});

test("a project of another name is found by labels and variables", async () => {
  await onServer(
    makeRunner("s/^container daytona runner/container box runner/"),
  );
  runner = "box-runner-1";
  await isUp();
  const before = await report(byBoth);
  expect(before.named).toEqual([]);
  await inRunner(`${saveRules}; iptables -t nat -F`);
  const { named, causes } = await report(byBoth);
  expect(named).toEqual(["10"]);
  expect(causes[0]?.because).toContain("box-runner-1");
  figures.push(`10 in a renamed project | ${named.join(", ")}`);
});

test("nothing is changed there", async () => {
  const state = () =>
    onServer(`
      docker ps --all --no-trunc --format '{{.ID}} {{.Names}}' | sort
      docker exec ${runner} docker ps --all --no-trunc --format '{{.ID}} {{.Names}}' | sort
      for where in "" "docker exec ${runner}"; do
        $where iptables-save | sed 's/\\[.*//; /^#/d'
        $where nft list tables
        $where ip route
      done
      find /etc /usr /root /home /var/lib/docker/network -newer /etc/daytona-lab/daytona.env -type f | sort`);
  const before = await state();
  const since = await onServer("date +%s");
  await report(byBoth);
  expect(await state()).toBe(before);
  expect(
    await onServer(
      `docker exec ${runner} docker exec ${FIRST_SANDBOX} find / -xdev -newermt @${since} -type f`,
    ),
  ).toBe("");
});

test("a new user: nothing to ask, a wrong host key, a wrong address, no password", async () => {
  const bare = await inLab(
    [process.execPath, join(checkout, "scripts/doctor.ts"), "--daytona"],
    { env: { DAYTONA_API_KEY: "dtn_secret" } },
  );
  expect(bare.exitCode).toBe(1);
  expect(bare.stderr).toContain("--daytona --api https://");
  expect(bare.stderr + bare.stdout).not.toContain("dtn_secret");

  writeFileSync(
    join(workDir, "known_hosts"),
    `${ipv4} ${labSecrets().operator.public}\n`,
  );
  const strange = await doctor(bySsh);
  writeUser();
  expect(strange.exitCode).toBe(1);
  expect(strange.stdout).toContain("Host key verification failed");

  const nobody = await doctor(["--ssh", `${operator}@198.18.0.250`]);
  expect(nobody.exitCode).toBe(1);
  expect(nobody.stdout).toMatch(/timed out|No route to host/);

  const wrong = await doctor(["--api", "daytona.example.net"]);
  expect(wrong.stderr).toContain("https://daytona.example.net");
});
