/**
 * Root in a sandbox takes nobody's address: what its frames say is true, or
 * passes nowhere. And whichever network of Docker a sandbox is on, it reaches
 * the gateway and nothing else, while containers that are no sandboxes reach
 * what they did.
 *
 * @module-tag gateway
 */
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { gateway, machine } from "./gateway-rules.ts";
import {
  DOMAIN,
  FIRST_SANDBOX as victim,
  labCurl,
  labExec,
  sandboxExec,
} from "./lab.ts";
import { addSandbox, removeSandbox } from "./own-sandbox.ts";

const program = readFileSync(
  join(import.meta.dirname, "fixtures/false-address.py"),
  "utf8",
);
/** A host of the world that no rule allows. */
const forbidden = "203.0.113.20";
const server = "172.20.0.1";

const attacker = await addSandbox();
const as = (line: string) => sandboxExec(attacker, line);
const inspect = async (id: string, what: string) =>
  (
    await machine(
      `docker inspect -f '{{(index .NetworkSettings.Networks "runner-bridge").${what}}}' ${id}`,
    )
  ).trim();
const address = await inspect(victim, "IPAddress");
const hardware = await inspect(victim, "MacAddress");

beforeAll(async () => {
  await as(
    `cat >/tmp/false-address.py <<'PROGRAM'\n${program}\nPROGRAM\nping -c 1 -W 1 ${server}; ip address add ${address}/32 dev eth0`,
  );
});

afterAll(async () => {
  await removeSandbox(attacker);
});

/** Sends frames of a kind in the background, for as long as is asked. */
async function send(kind: string, seconds: number): Promise<void> {
  const { exitCode, result } = await as(
    `setsid python3 /tmp/false-address.py ${kind} ${address} ${hardware} ${String(seconds)} >/tmp/sent 2>&1 </dev/null &\nsleep 0.5`,
  );
  expect({ result, exitCode }).toMatchObject({ exitCode: 0 });
}

/** Who answers for the victim, to Daytona's proxy and to the server itself. */
async function owners(): Promise<string[]> {
  const said: string[] = [];
  for (let times = 0; times < 5; times++) {
    const { stdout } = await labCurl([
      ...["-sS", "-m", "10", `https://${victim}-3000.${DOMAIN}/`],
    ]);
    const direct = await machine(
      `curl -sS -m 10 http://${address}:3000/ || echo '{}'`,
    );
    for (const text of [stdout, direct]) {
      said.push((JSON.parse(text) as { sandbox?: string }).sandbox ?? text);
    }
  }
  return said;
}

describe("another sandbox's address", () => {
  test.each([
    ["ARP says so", "arp"],
    ["frames have its hardware address", "mac"],
    ["both", "both"],
  ])("is not taken: %s", async (_, kind) => {
    await send(kind, 20);
    expect(await owners()).toEqual(Array(10).fill(victim));
    const { result } = await sandboxExec(victim, "hostname");
    expect(result.trim()).toBe(victim);
    await as("pkill -f false-address.py");
  });

  test("as a source gets no answer to its owner", async () => {
    const listens = sandboxExec(
      victim,
      `timeout 6 python3 -c '
import socket
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
raw.settimeout(4)
try: print(raw.recv(999))
except TimeoutError: print("nothing")'`,
    );
    await send("icmp", 2);
    expect((await listens).result.trim()).toBe("nothing");
  });

  test("is not used towards the gateway", async () => {
    const asked = async (source: string) =>
      (
        await as(
          `curl -sS -m 3 -o /dev/null -w '%{http_code}' --interface ${source} http://${gateway}/ca.pem; true`,
        )
      ).result;
    expect(await asked("eth0")).toContain("200");
    expect(await asked(address)).toContain("000");
  });
});

describe("what the server remembers of connections", () => {
  const remembered = async () =>
    Number(await machine("cat /proc/sys/net/netfilter/nf_conntrack_count"));

  test("is not filled by invented sources", async () => {
    const before = await remembered();
    await send("many", 3);
    await expect
      .poll(async () => (await as("cat /tmp/sent")).result)
      .toMatch(/^\d/);
    expect(await remembered()).toBeLessThan(before + 1000);
  });

  test("nor by one sandbox that opens what it can; others are served", async () => {
    const opens = as(
      `python3 -c '
import resource, selectors, socket, time
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
kept = []
for port in (80, 443, 53):
    for _ in range(4000):
        s = socket.socket()
        s.setblocking(False)
        s.connect_ex(("${gateway}", port))
        kept.append(s)
time.sleep(5)
print(len(kept))'`,
    );
    const added = await addSandbox();
    const { result } = await sandboxExec(
      added,
      `for _ in 1 2 3 4 5; do curl -sS -m 20 -o /dev/null -w '%{http_code} ' http://${gateway}/ca.pem; done`,
    );
    expect(result.trim()).toBe("200 200 200 200 200");
    const count = Number(
      await machine(
        "grep -c 'src=172.20.*dst=169.254.20.1' /proc/net/nf_conntrack || true",
      ),
    );
    expect((await opens).result.trim()).toBe("12000");
    // Some stand there from the moments in which a test had opened the way.
    expect(count).toBeLessThan(100);
    await removeSandbox(added);
  });
});

test("a port that no container has passes nothing", async () => {
  try {
    await machine(
      `ip netns add unbound; ip link add unbound0 type veth peer name eth0 netns unbound
       ip link set unbound0 master br-sandbox up
       ip -n unbound address add 172.20.99.9/16 dev eth0; ip -n unbound link set eth0 up
       ip -n unbound route add default via ${server}`,
    );
    const reached = await machine(
      `mac=$(cat /sys/class/net/br-sandbox/address)
       for known in no yes; do
         for target in ${gateway}:80 ${server}:22 ${address}:3000 ${forbidden}:80; do
           ip netns exec unbound curl -s -m 2 -o /dev/null telnet://$target </dev/null && echo $target
           [ $? = 7 ] && echo answered $target
         done
         ip -n unbound neigh replace ${server} lladdr $mac dev eth0
         ip -n unbound neigh replace ${address} lladdr ${hardware} dev eth0
       done; true`,
    );
    expect(reached).toBe("");
  } finally {
    await machine("ip netns delete unbound");
  }
});

describe("sandboxes on other networks of Docker", () => {
  const network = "daytona-link-test";
  /** What probes from its first instruction on, as root of a sandbox would. */
  const probe = (id: string) =>
    `while :; do for t in ${id} ${server}; do
       echo ${id} >/dev/udp/${forbidden}/4444; done; sleep 0.02; done`;
  const inContainer = (name: string, line: string) =>
    machine(`docker exec ${name} sh -c '${line}' || true`);
  const reaches = (name: string, url: string) =>
    inContainer(
      name,
      `curl -sk -m 5 -o /dev/null -w "%{http_code}" ${url}`,
    ).then((code) => code.trim() !== "000");
  const containers: string[] = [];

  async function start(
    name: string,
    on: string,
    line = "sleep infinity",
  ): Promise<string> {
    containers.push(name);
    await machine(
      `docker run --detach --name ${name} --privileged --network ${on} daytona-lab bash -c '${line}'`,
    );
    return name;
  }

  beforeAll(async () => {
    const { exitCode, stderr } = await labExec("internet", [
      "nft",
      `table inet other_networks {
         chain arrived {
           type filter hook prerouting priority -300
           ip daddr ${forbidden} udp dport 4444 counter
         }
       }`,
    ]);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  });

  afterAll(async () => {
    await machine(
      `docker rm --force ${containers.join(" ")}
       docker network disconnect ${network} ${attacker}; docker network rm ${network}`,
    );
    await labExec("internet", ["nft", "delete table inet other_networks"]);
  });

  const arrived = async () => {
    const { stdout } = await labExec("internet", [
      ..."nft list table inet other_networks".split(" "),
    ]);
    return Number(/packets (\d+)/.exec(stdout)?.[1]);
  };

  test("a network that Daytona makes for two sandboxes is walled from its first packet", async () => {
    await machine(`docker network create ${network}`);
    const linked = await start(randomUUID(), network, probe("linked"));
    await machine(`docker network connect ${network} ${attacker}`);
    await expect
      .poll(() => reaches(linked, `http://${gateway}/ca.pem`))
      .toBe(true);
    expect(await reaches(linked, `https://${forbidden}/`)).toBe(false);
    // The owner's way out by its second leg.
    const router = await machine(
      `docker network inspect -f '{{(index .IPAM.Config 0).Gateway}}' ${network}`,
    );
    const { result } = await as(
      `ip route replace ${forbidden}/32 via ${router.trim()}
       curl -sk -m 5 -o /dev/null https://${forbidden}/; echo "world $?"
       for port in 22 4000; do curl -s -m 3 -o /dev/null telnet://${router.trim()}:$port </dev/null; echo "$port $?"; done
       ip route delete ${forbidden}/32`,
    );
    expect(result).not.toMatch(/ (0|28|48)$/m);
    expect(result).toContain("world 7");
    expect(await arrived()).toBe(0);
  });

  test("on Docker's own bridge a sandbox is walled, its neighbour is not", async () => {
    const other = await start("other-project", "bridge");
    expect(await reaches(other, `https://${forbidden}/`)).toBe(true);
    const sandbox = await start(randomUUID(), "bridge");
    await expect
      .poll(() => reaches(sandbox, `http://${gateway}/ca.pem`))
      .toBe(true);
    expect(await reaches(sandbox, `https://${forbidden}/`)).toBe(false);
    expect(await reaches(other, `https://${forbidden}/`)).toBe(true);
    // Nor does it serve the neighbour, which would use its credentials.
    expect(await reaches(other, `http://${gateway}/ca.pem`)).toBe(false);
    const late = await start("late-project", "bridge");
    await expect.poll(() => reaches(late, `https://${forbidden}/`)).toBe(true);
  });

  test("containers of another project are never cut", async () => {
    const other = await start(
      "compose-redis",
      "daytona_daytona-network",
      `while :; do curl -sk -m 5 -o /dev/null https://${forbidden}/ && echo yes || echo no; sleep 0.05; done`,
    );
    const added = await addSandbox();
    await removeSandbox(added);
    await machine("systemctl reload daytona-gateway-firewall; sleep 1");
    const said = (await machine(`docker logs ${other}`)).trim().split("\n");
    expect(said.length).toBeGreaterThan(10);
    expect(said).not.toContain("no");
  });
});
