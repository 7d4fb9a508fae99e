/**
 * Whatever of the gateway fails: no forbidden packet leaves, and what is
 * allowed works again soon after the part is back. A prober in a sandbox, as
 * root, asks for both the whole time; the lab's internet counts what arrives.
 *
 * @module-tag gateway
 */
import Table from "cli-table3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { rulesDocument } from "../../infra/gateway/rules-document.ts";
import { parseEgressRules } from "../../infra/gateway/rules.ts";
import {
  arrivedText,
  forbiddenPackets,
  forget,
  unwatch,
  watch,
} from "./bypass/watch.ts";
import { bootProbe, plantBootProbe, removeBootProbe } from "./boot-probe.ts";
import type { ProberReport } from "./fixtures/egress-prober.ts";
import {
  closeRoad,
  keepRules,
  machine,
  openRoad,
  request,
  trustAgain,
} from "./gateway-rules.ts";
import { FIRST_SANDBOX, lab, sandboxExec } from "./lab.ts";
import { type SandboxServer, startInSandbox } from "./sandbox-server.ts";

const store = "/var/lib/daytona-edge/store";
const state = "/var/lib/daytona-edge/gateway";
const allUnits = [
  "firewall",
  "network",
  "recursor",
  "resolver",
  "",
  "agent",
].map((part) => ["daytona-gateway", part].filter(Boolean).join("-"));
const startAll = `systemctl start ${allUnits.join(" ")}`;

/** As the last line of a script: when the part is back, in ms since 1970. */
const now = "date +%s%3N";

/** A function of the shell: waits until the agent's status says something. */
const says = `says() {
  for _ in $(seq 1200); do
    if grep -q "$1" /run/daytona-gateway/status.json; then return 0; fi
    sleep 0.1
  done
  cat /run/daytona-gateway/status.json >&2; return 1
}`;

const rows: [string, string, string, string][] = [];
let prober: SandboxServer;

// Hooks after a suite run from the last to the first, and one that throws ends
// them: the gateway and its rules come back before anything else.
afterAll(async () => {
  await unwatch();
  const table = new Table({
    head: ["what was done", "tries", "allowed that failed", "back after, s"],
    style: { head: [], border: [], compact: true },
    colAligns: ["left", "right", "right", "right"],
  });
  table.push(...rows);
  console.log(
    `${table.toString()}\nbacks are to be within 10 s of the part's return`,
  );
});

keepRules();

afterAll(async () => {
  try {
    await prober.stop();
  } finally {
    await machine(startAll);
  }
});

beforeAll(async () => {
  prober = await startInSandbox(FIRST_SANDBOX, "egress-prober.ts", 7100);
  await forget();
  await watch();
});

const reportOf = (text: string) => JSON.parse(text) as ProberReport;
const report = async () => reportOf(await prober.control("GET"));
const hosts = ["api.github.com", "openrouter.ai"];

/** Whether the last requests to each allowed host were sent since then, and answered. */
function isBack({ allowed }: ProberReport, since: number): boolean {
  return hosts.every((host) => {
    const last = allowed.filter((it) => it.host === host).slice(-3);
    return (
      last.length === 3 &&
      last.every(({ at, said }) => at >= since && said === "200")
    );
  });
}

/** When the first request was sent after which none failed. */
function backAt({ allowed }: ProberReport, returned: number): number {
  const first = hosts.map((host) => {
    const of = allowed.filter((it) => it.host === host);
    const failed = of.findLastIndex(({ said }) => said !== "200");
    return failed === -1 ? returned : (of[failed + 1]?.at ?? Infinity);
  });
  return Math.max(...first, returned);
}

/** Whether the forbidden was tried in each way, and more than once. */
function hasTried({ tried }: ProberReport): boolean {
  const tries = Object.values(tried);
  return tries.length > 15 && Math.min(...tries) > 2;
}

async function nothingForbidden({ reached }: ProberReport) {
  expect(reached).toEqual({});
  expect(await forbiddenPackets()).toBe(0);
  expect(await arrivedText()).not.toMatch(/example\.org|forbidden-path/);
}

/** Once allowed requests work again, and the forbidden was tried. */
async function whenBack(
  read: () => Promise<ProberReport>,
  since: number,
): Promise<ProberReport> {
  let seen = await read();
  await expect
    .poll(async () => {
      seen = await read();
      return isBack(seen, since) && hasTried(seen);
    })
    .toBe(true);
  return seen;
}

/**
 * Does something to the gateway's machine, and waits until allowed requests
 * work again.
 * @param script its last line prints when the part was back
 */
async function disturb(what: string, script: string): Promise<ProberReport> {
  await prober.control("DELETE");
  const returned = Number((await machine(script)).trim().split("\n").at(-1));
  expect(returned).toBeGreaterThan(1e12);
  const said = await whenBack(report, returned);
  await nothingForbidden(said);
  add(what, said, returned);
  return said;
}

function add(what: string, said: ProberReport, returned: number): void {
  const tries = Object.values(said.tried).reduce((a, b) => a + b, 0);
  const failed = said.allowed.filter((it) => it.said !== "200").length;
  const back = (backAt(said, returned) - returned) / 1000;
  const total = String(said.allowed.length);
  rows.push([
    what,
    String(tries),
    `${String(failed)} of ${total}`,
    back.toFixed(1),
  ]);
}

/** Kills processes of a unit and waits until systemd has it running again. */
const kill = (unit: string, processes: string) =>
  `main=$(systemctl show -P MainPID ${unit})
   kill -9 ${processes}
   for _ in $(seq 1200); do
     if [ "$(systemctl show -P MainPID ${unit})" != $main ] && systemctl is-active --quiet ${unit}; then break; fi
     sleep 0.05
   done
   systemctl is-active --quiet ${unit}
   ${now}`;

describe("a process is killed", () => {
  test.each([
    ["HAProxy's master", "daytona-gateway", "$main"],
    ["HAProxy's worker", "daytona-gateway", "$(pgrep -P $main)"],
    ["the sandboxes' resolver", "daytona-gateway-resolver", "$main"],
    ["the gateway's own resolver", "daytona-gateway-recursor", "$main"],
    ["the agent", "daytona-gateway-agent", "$main"],
  ])("%s", async (what, unit, processes) => {
    await disturb(`kill -9: ${what}`, kill(unit, processes));
  });

  test("again and again: systemd does not give up", async () => {
    // Not the agent, which would start the others.
    const units = allUnits.slice(2, -1).join(" ");
    await disturb(
      "kill -9: HAProxy and both resolvers, seven times",
      `for _ in $(seq 7); do
         systemctl kill --signal=KILL ${units} || true
         sleep 1.2
       done
       for unit in ${units}; do
         for _ in $(seq 1200); do
           if systemctl is-active --quiet $unit; then break; fi
           sleep 0.1
         done
         systemctl is-active $unit
       done
       ${now}`,
    );
  });
});

test.each(allUnits)("%s is stopped for a while", async (unit) => {
  await disturb(
    `stopped: ${unit}`,
    `systemctl stop ${unit}; sleep 2; ${startAll}; ${now}`,
  );
});

test("the store is gone or broken: refused as a whole, the last good one stays", async () => {
  const { allowed } = await disturb(
    "the store gone, empty, garbage, cut short; HAProxy killed",
    `cd ${store}; f=egress-rules.json; cp -p $f /run/kept
     ${says}
     rm $f; says 'not in the store'
     : >$f; says 'Unexpected end of JSON'
     printf '\\377\\000' >$f; says 'not JSON: Unexpected token'
     echo '{}' >$f; says 'no list'
     echo '{"rules":[{"url":"https://*.example.org/*"}]}' >$f; says 'refused: .*wildcard'
     head -c 40 /run/kept >$f; says 'not JSON: Unterminated'
     systemctl kill --signal=KILL daytona-gateway; sleep 2
     cd /; mv ${store} ${store}.kept; sleep 1.5; mv ${store}.kept ${store}
     cp -p /run/kept ${store}/$f; rm /run/kept; ${now}`,
  );
  const said = allowed.map((it) => it.said);
  expect(said.filter((it) => it === "200").length).toBeGreaterThan(20);
});

describe("others on the machine", () => {
  test("empty nftables; Docker loads its own again", async () => {
    await disturb(
      "nft flush ruleset, four times",
      // As firewalld does: Docker's rules come back, and open the way.
      `iptables-save >/run/docker-rules
       for _ in $(seq 4); do
         nft flush ruleset
         iptables-restore </run/docker-rules; nft -f /usr/local/lib/daytona-lab/way-out.nft
         sleep 1.7
       done
       for _ in $(seq 1200); do
         if nft list table bridge daytona_egress >/dev/null 2>&1; then break; fi
         sleep 0.1
       done
       nft list table inet daytona_egress >/dev/null; ${now}`,
    );
  });

  test("drop the routing rules: the agent puts them back", async () => {
    await disturb(
      "systemd-networkd restarted, routing rules removed",
      `systemctl restart systemd-networkd
       while ip -4 rule delete priority 10 2>/dev/null; do :; done
       while ip -6 rule delete priority 10 2>/dev/null; do :; done
       for _ in $(seq 1200); do
         if ip -6 rule show priority 10 | grep -q blackhole; then break; fi
         sleep 0.1
       done
       ip -4 rule show priority 10 | grep -q 'iif br-sandbox blackhole'
       ip -6 rule show priority 10 | grep -q 'iif br-sandbox blackhole'; ${now}`,
    );
  });

  test.each(["-4", "-6"])(
    "drop the routing rule of ip %s alone: the agent puts it back",
    async (family) => {
      await disturb(
        `routing rule removed: ip ${family}`,
        `ip ${family} rule delete priority 10
         for _ in $(seq 1200); do
           if ip ${family} rule show priority 10 | grep -q blackhole; then break; fi
           sleep 0.1
         done
         ip ${family} rule show priority 10 | grep -q 'iif br-sandbox blackhole'; ${now}`,
      );
    },
  );

  test("forget all connections", async () => {
    await disturb(
      "connection tracking flushed",
      `python3 - <<'PY'
import socket, struct
# IPCTNL_MSG_CT_DELETE of nothing in particular, with an acknowledgement.
ask = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
ask.send(struct.pack("=IHHII4x", 20, 0x102, 5, 1, 0))
assert struct.unpack("=i", ask.recv(99)[16:20]) == (0,)
PY
       ${now}`,
    );
  });

  test("start Docker anew, with chains that accept everything", async () => {
    try {
      await disturb(
        "Docker's chains made anew, accepting",
        `nft 'table ip6 lab { chain FORWARD { type filter hook forward priority filter; policy accept; accept; }; }'
         echo '{ "dns": ["169.254.20.1"], "live-restore": true }' >/etc/docker/daemon.json
         systemctl reload docker
         for _ in $(seq 2); do
           systemctl kill --signal=KILL docker
           until [ "$(systemctl show -P ActiveState docker)" = active ]; do sleep 0.1; done
           iptables -I DOCKER-USER -j ACCEPT
         done; ${now}`,
      );
    } finally {
      await machine(
        `nft delete table ip6 lab
         while iptables -D DOCKER-USER -j ACCEPT 2>/dev/null; do :; done
         echo '{ "dns": ["169.254.20.1"] }' >/etc/docker/daemon.json
         systemctl reload docker`,
      );
    }
  });
});

test("the disk is full while rules change; then it is not", async () => {
  // Much more than there was: a map that becomes smaller makes room.
  const hosts = Array.from(
    { length: 400 },
    (_, index) => `host-${String(index)}`,
  );
  const { rules } = parseEgressRules([
    ...request,
    ...hosts.map((host) => `https://${host}.full.example.com/*`),
  ]);
  const changed = rulesDocument(rules).replaceAll("\n", "");
  const size = (await machine("findmnt -no SIZE -b /run")).trim();
  await machine(
    `cp -a ${state} /run/kept-state
     mount -t tmpfs -o size=2M,mode=755 tmpfs ${state}
     cp -a /run/kept-state/. ${state}
     rm -r /run/kept-state
     systemctl restart daytona-gateway daytona-gateway-agent`,
  );
  try {
    await disturb(
      "the disk full, HAProxy killed, rules changed",
      `mount -o remount,size=$(($(df --output=used -B1 /run | tail -n 1) + 65536)) /run
       # dd fails, for there is no room at the end: that is the point.
       fill() { dd if=/dev/zero of=$1/filler bs=4k 2>/dev/null || true; }
       fill /run; fill ${state}
       f=${store}/egress-rules.json; cp -p $f ${store}/kept
       echo '${changed}' >$f
       sleep 3
       systemctl kill --signal=KILL daytona-gateway
       sleep 3
       cp -p ${store}/kept $f; rm ${store}/kept /run/filler ${state}/filler
       mount -o remount,size=${size} /run
       ${now}`,
    );
    // What changed meanwhile counts once there is room.
    await machine(
      `${says}
       f=${store}/egress-rules.json; cp -p $f ${store}/kept
       dd if=/dev/zero of=${state}/filler bs=4k 2>/dev/null || true
       echo '${changed}' >$f
       says ENOSPC; rm ${state}/filler; says '403 rules'
       cp -p ${store}/kept $f; rm ${store}/kept`,
    );
  } finally {
    await machine(
      `rm -f /run/filler ${state}/filler
       mount -o remount,size=${size} /run
       if [ -e ${store}/kept ]; then mv ${store}/kept ${store}/egress-rules.json; fi
       cp -a ${state} /run/kept-state; umount ${state}
       cp -a /run/kept-state/. ${state}; rm -r /run/kept-state
       systemctl restart daytona-gateway daytona-gateway-agent`,
    );
  }
});

test(
  "the machine reboots: closed from its first moment",
  { timeout: 900_000 },
  async () => {
    await expect.poll(async () => hasTried(await report())).toBe(true);
    await nothingForbidden(await report());
    await plantBootProbe();
    try {
      const rebooted = await lab(["machine", "reboot", "daytona"]);
      const returned = Date.now();
      expect(rebooted).toMatchObject({ exitCode: 0 });
      // It was there before the gateway was: it saw it come.
      const seen = await whenBack(async () => reportOf(await bootProbe()), 0);
      expect(seen.allowed[0]?.said).not.toBe("200");
      await nothingForbidden(seen);
      add("reboot; a probe before the gateway", seen, returned);

      prober = await startInSandbox(FIRST_SANDBOX, "egress-prober.ts", 7100);
      const again = await whenBack(report, 0);
      await nothingForbidden(again);
      add("reboot; a sandbox after it", again, returned);
    } finally {
      await removeBootProbe();
    }
    // Its toolbox starts after the machine has.
    await expect
      .poll(async () => (await sandboxExec(FIRST_SANDBOX, "echo up")).result)
      .toBe("up");
    await trustAgain();
  },
);

test("the prober reaches and the counter counts where no wall stands", async () => {
  const everyKind = [
    "tcp 203.0.113.20 443",
    "tcp 203.0.113.20 80",
    "tcp 203.0.113.12 443",
    "tcp 1.1.1.1 53",
    "tcp 2001:db8:203::20 443",
    "tcp 172.20.0.1 22",
    "tcp 172.20.0.1 4000",
    "tcp 198.18.0.3 22",
    "udp 8.8.8.8 4444",
    "udp 203.0.113.20 443",
    "udp 2001:db8:203::20 443",
    "outside resolver",
    "ping",
    "ping6",
  ];
  await prober.control("DELETE");
  try {
    await openRoad();
    await expect
      .poll(async () => Object.keys((await report()).reached))
      .toEqual(expect.arrayContaining(everyKind));
    await expect.poll(forbiddenPackets).toBeGreaterThan(50);
  } finally {
    await closeRoad();
  }
  await forget();
  await watch();
});
