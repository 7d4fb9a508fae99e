/**
 * Nothing that should live is lost: under a constant load of 500 requests a
 * second and 200 WebSockets, through a balancer with two edges, everything is
 * changed that a running stack changes.
 *
 * @module-tag edge
 * @module-tag certificate
 */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { edgeAddresses } from "../../scripts/lab/machine-addresses.ts";
import { startLoad } from "./constant-load.ts";
import {
  FIRST_SANDBOX,
  SECOND_SANDBOX,
  SIGNED_DOMAIN,
  inLab,
  lab,
  labCurl,
  labExec,
  script,
  signedOutputs,
} from "./lab.ts";
import { hideState } from "./live-state.ts";
import { bootSpareEdge, removeSpareEdge, spareEdge } from "./spare-edge.ts";
import { holdStreams } from "./streams.ts";
import { type Key, claims, sign } from "./tokens.ts";

const balancer = "198.18.0.9";
/** The balancer's own address, which the edges see. */
const balancerSource = "198.18.0.3";
const fixture = (name: string) => join(import.meta.dirname, "fixtures", name);
const edges = ["edge-signed", "edge-spare"] as const;
const balancersFile = "/etc/daytona-edge/edge/maps/load-balancers.acl";
const asHaproxy =
  'nsenter --mount --target "$(systemctl show -p MainPID --value daytona-edge)"';
let key: Key;

const onEdge = (machine: string, command: string) =>
  labExec(machine, ["sh", "-ec", command]);
const runtime = (command: string) =>
  `echo '${command}' | socat - /run/daytona-edge/haproxy.sock`;

beforeAll(async () => {
  key = (await signedOutputs()).access.key;
  await bootSpareEdge("signed", {}, { loadBalancers: [balancerSource] });
  // The stack's own edge learns of the balancer too, for a while: HAProxy alone
  // sees the file, for an up would put back what is changed by hand.
  await onEdge(
    "edge-signed",
    `echo ${balancerSource} >/run/balancers.acl
     ${asHaproxy} mount --bind /run/balancers.acl ${balancersFile}
     ${runtime(`add acl ${balancersFile} ${balancerSource}`)}`,
  );
  const balancing = await labExec(
    "daytona",
    [
      ...["sh", "-ec"],
      `ip address replace ${balancer}/24 dev host0
       cat >/run/balancer.cfg
       BALANCER_ADDRESS=${balancer} BALANCER_FIRST=${edgeAddresses["edge-signed"].ipv4}:443 BALANCER_SECOND=${spareEdge.ipv4}:443 haproxy -D -p /run/balancer.pid -f /run/balancer.cfg`,
    ],
    { inputFile: fixture("balancer.cfg") },
  );
  expect(balancing).toMatchObject({ exitCode: 0 });
});

afterAll(async () => {
  await labExec("daytona", [
    "sh",
    "-c",
    `kill $(cat /run/balancer.pid); ip address delete ${balancer}/24 dev host0`,
  ]);
  await onEdge(
    "edge-signed",
    `${asHaproxy} umount ${balancersFile}
     rm /run/balancers.acl
     ${runtime(`del acl ${balancersFile} ${balancerSource}`)}`,
  );
  await removeSpareEdge();
});

const loadOf = (perSecond: number) =>
  startLoad({
    ...{ perSecond, address: balancer },
    requests: [FIRST_SANDBOX, SECOND_SANDBOX].map((id) => ({
      url: `https://${id}-3000.${SIGNED_DOMAIN}/`,
      headers: { "X-Sandbox-Token": sign(key, claims(id)) },
    })),
  });

const hold = (sandbox: string, count: number) =>
  holdStreams(
    count,
    `wss://${sandbox}-3000.${SIGNED_DOMAIN}/ws`,
    [`X-Sandbox-Token:${sign(key, claims(sandbox))}`],
    balancer,
  );

const pulumiUp = (...changes: string[]) =>
  script("../test/e2e/fixtures/pulumi-up.ts", changes);

async function renewCertificate(): Promise<void> {
  await hideState("edge-signed", "store/certificate.json");
  const { exitCode, stderr } = await labExec("edge-signed", [
    "/usr/local/lib/daytona-edge/run-certificate.sh",
    "issue",
  ]);
  expect(stderr + String(exitCode)).toMatch(/0$/);
}

const serialServed = async (machine: (typeof edges)[number]) => {
  const { stdout } = await inLab([
    "sh",
    "-c",
    `openssl s_client -connect ${edgeAddresses[machine].ipv4}:443 -servername x.${SIGNED_DOMAIN} </dev/null 2>/dev/null | openssl x509 -noout -serial`,
  ]);
  return stdout;
};

// Two runs of Pulumi, among much else.
const patience = { timeout: 1_800_000 };

test(
  "500 requests a second and 200 streams live through every change",
  patience,
  async () => {
    const third = (await lab(["sandbox", "add"])).stdout.trim();
    const streams = await Promise.all([
      hold(FIRST_SANDBOX, 100),
      hold(SECOND_SANDBOX, 100),
    ]);
    const revoked = await hold(third, 3);
    const begun = Math.floor(Date.now() / 1000);
    const endLoad = await loadOf(500);

    // A rotation of the keys: the next one signs, and the old one still counts.
    const machineBefore = await onEdge("edge-signed", "cat /proc/1/stat");
    const up = await pulumiUp("accessKeyGeneration=2");
    expect(up.stderr).toBe("");
    const rotated = (await signedOutputs()).access.key;
    expect(rotated.kid).not.toBe(key.kid);
    for (const signer of [key, rotated]) {
      const { stdout } = await labCurl([
        ...["-H", `X-Sandbox-Token: ${sign(signer, claims(FIRST_SANDBOX))}`],
        `https://${FIRST_SANDBOX}-3000.${SIGNED_DOMAIN}/`,
      ]);
      expect(stdout).toContain("from the sandbox");
    }
    const machineAfter = await onEdge("edge-signed", "cat /proc/1/stat");
    expect(machineAfter.stdout.split(" ")[21]).toBe(
      machineBefore.stdout.split(" ")[21],
    );

    // A revocation of another sandbox.
    expect((await script("sandbox.ts", ["revoke", third])).exitCode).toBe(0);
    await expect.poll(revoked.cut).toBe(3);
    expect(await revoked.end()).toMatchObject({ opened: 3, cut: 3 });

    // A new certificate.
    const serials = await Promise.all(edges.map(serialServed));
    await renewCertificate();
    for (const [index, machine] of edges.entries()) {
      const before = serials[index] ?? "";
      expect(before).toMatch(/^serial=/);
      await expect
        .poll(async () => {
          const serial = await serialServed(machine);
          return serial.startsWith("serial=") && serial !== before;
        })
        .toBe(true);
    }

    // A reload of both edges.
    for (const machine of edges) {
      const { exitCode } = await onEdge(
        machine,
        "systemctl reload daytona-edge",
      );
      expect(exitCode).toBe(0);
    }
    // Which no balancer notices: not one health check fails.
    const checks = edges.map((machine) =>
      labCurl([
        ...[
          "-H",
          "Connection: close",
          "-o",
          "/dev/null",
          "-w",
          "%{http_code} ",
        ],
        `http://${edgeAddresses[machine].ipv4}:8404/healthz#[1-40]`,
      ]),
    );
    for (const { stdout } of await Promise.all(checks)) {
      expect(stdout).toBe("200 ".repeat(40));
    }

    // One of the two drains: first its health check fails, then it accepts
    // nobody, and what is open lives on.
    await onEdge("edge-spare", "systemctl stop --no-block daytona-edge");
    await expect
      .poll(
        async () =>
          (
            await labCurl([
              ...["-o", "/dev/null", "-w", "%{http_code}"],
              `http://${spareEdge.ipv4}:8404/healthz`,
            ])
          ).stdout,
      )
      .toBe("503");
    await sleep(30_000);
    const { stdout: state } = await onEdge(
      "edge-spare",
      "systemctl is-active daytona-edge || true",
    );
    expect(state).toBe("deactivating");

    const load = await endLoad();
    console.log(
      `${String(load.answered)} requests answered at ${String(load.perSecond)} a second`,
    );
    expect(load.failures).toEqual({});
    // Each has its row in a log, at whatever rate they came.
    const countRows = async () => {
      const rows = await Promise.all(
        edges.map((machine) =>
          onEdge(
            machine,
            `journalctl --sync; journalctl --no-pager -o cat -t daytona-edge-log --since @${String(begun)} | grep -cE '"path": "/",.*"status": 200,'`,
          ),
        ),
      );
      return rows.map(({ stdout }) => Number(stdout)).reduce((a, b) => a + b);
    };
    await expect
      .poll(countRows, { interval: 1_000 })
      .toBeGreaterThanOrEqual(load.answered);
    for (const held of streams) {
      expect(await held.end()).toMatchObject({ opened: 100, cut: 0, lost: 0 });
    }

    await script("sandbox.ts", ["restore", third]);
    await lab(["sandbox", "remove", third]);
    await pulumiUp();
  },
);
