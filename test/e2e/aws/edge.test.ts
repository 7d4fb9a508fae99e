/**
 * A machine of the lab boots from the very user data that production's edges
 * get, and takes its bundle and its live state from AWS' stand-ins.
 *
 * @module-tag aws
 * @module-tag edge
 */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { trustFile } from "../../../scripts/checkout.ts";
import { awsMachines } from "../../../scripts/lab/machine-addresses.ts";
import { DOMAIN, FIRST_SANDBOX, lab, labCurl, labExec } from "../lab.ts";
import { readState } from "../live-state.ts";
import { type AgentPackage, agentPackage } from "./agent-package.ts";
import { holdStream } from "./held-stream.ts";
import { keep, letGo } from "./metadata.ts";
import { type AwsFront, type Moto, startAwsFront, startMoto } from "./moto.ts";
import { plannedMachine, secrets } from "./production-plan.ts";

const machine = "aws-edge";
const { ipv4 } = awsMachines[machine];
/** Where the lab's balancer listens; the edge sees the machine's own address. */
const balancer = "198.18.0.9";
const sandbox = `${FIRST_SANDBOX}-3000.${DOMAIN}`;

let moto: Moto;
let front: AwsFront;
let userData: string;
let agent: AgentPackage;

const certificate = () => readState("edge", "store/certificate.json");

beforeAll(async () => {
  agent = await agentPackage();
  const planned = await plannedMachine("edge", {
    sessionManager: {
      package: "https://packages.s3.eu-central-1.amazonaws.com/agent.deb",
      sha256: agent.sha256,
    },
  });
  ({ userData } = planned);
  moto = await startMoto(5_556);
  await moto.putObject("packages", "agent.deb", agent.content, "public-read");
  front = await startAwsFront(moto);
  await planned.layBundle(moto);
  planned.remove();
  await moto.secrets("CreateSecret", {
    Name: `${secrets}revocations.json`,
    SecretString: JSON.stringify({ revocations: [] }),
  });
}, 900_000);

afterAll(async () => {
  await labExec("daytona", [
    "sh",
    "-c",
    `kill $(cat /run/balancer.pid); ip address delete ${balancer}/24 dev host0`,
  ]);
  await lab(["machine", "remove", machine]);
  await front.stop();
  await moto.stop();
});

const health = async (...args: string[]) => {
  const { stdout } = await labCurl([
    ...["-o", "/dev/null", "-w", "%{http_code}", ...args],
    `http://${ipv4}:8404/healthz`,
  ]);
  return stdout;
};
/** What is wrong with the certificate, as the machine's agent says. */
const refusal = async () => {
  const { stdout } = await labCurl([`http://${ipv4}:8404/status`]);
  const status = JSON.parse(stdout) as Record<string, { error?: string }>;
  return status["certificate.json"]?.error;
};

test("boots, and serves nobody while there is no certificate", async () => {
  const started = performance.now();
  const boot = await lab(["machine", "boot", machine], { input: userData });
  console.log(
    `boot to installed: ${((performance.now() - started) / 1000).toFixed(1)} s; user data ${String(userData.length)} bytes`,
  );
  expect(boot.stderr + boot.stdout).toContain("status: done");
  expect(boot.exitCode).toBe(0);
  expect(await health()).toBe("503");
});

test("what it says when it goes is sent to CloudWatch, too", async () => {
  const { stdout } = await labExec(machine, [
    ...["cat", "/etc/daytona-edge/logs/env"],
  ]);
  expect(stdout).toMatch(/^LOGS_UNITS=".* daytona-aws-lifecycle\.service /m);
});

test("an operator may open sessions on it, by an agent that dials out", async () => {
  const { stdout } = await labExec(machine, [
    ..."systemctl is-active amazon-ssm-agent".split(" "),
  ]);
  expect(stdout).toBe("active");
});

test("is healthy once there is one", async () => {
  const started = performance.now();
  await moto.secrets("CreateSecret", {
    Name: `${secrets}certificate.json`,
    SecretString: await certificate(),
  });
  await expect.poll(() => health()).toBe("200");
  console.log(
    `healthy after its certificate came: ${((performance.now() - started) / 1000).toFixed(1)} s`,
  );
});

test("a balancer's check may begin with the PROXY header, version 2", async () => {
  const { stdout } = await labExec(
    "daytona",
    ["socat", "-t", "60", "-", `TCP4:${ipv4}:8404`],
    {
      input: Buffer.concat([
        // LOCAL: the balancer itself asks (the specification's section 2.2).
        Buffer.from("0d0a0d0a000d0a515549540a20000000", "hex"),
        Buffer.from("GET /healthz HTTP/1.0\r\n\r\n"),
      ]),
    },
  );
  expect(stdout).toMatch(/^HTTP\/1\.1 200 /);
  // Version 1 is no balancer's of AWS.
  const old = await health("--haproxy-protocol");
  expect(old).not.toBe("200");
});

test("a sandbox is reached by the balancer, which tells the client", async () => {
  const balancing = await labExec(
    "daytona",
    [
      ...["sh", "-ec"],
      `ip address replace ${balancer}/24 dev host0
       cat >/run/balancer.cfg
       BALANCER_ADDRESS=${balancer} BALANCER_FIRST=${ipv4}:443 BALANCER_SECOND=127.0.0.1:1 haproxy -D -p /run/balancer.pid -f /run/balancer.cfg`,
    ],
    { inputFile: join(import.meta.dirname, "../fixtures/balancer.cfg") },
  );
  expect(balancing).toMatchObject({ exitCode: 0 });
  const { stdout } = await labCurl([
    ..."-w %{http_code} --retry 100 --retry-all-errors --retry-delay 1".split(
      " ",
    ),
    ...[
      "--resolve",
      `${sandbox}:443:${balancer}`,
      `https://${sandbox}/headers`,
    ],
  ]);
  expect(stdout).toMatch(/200$/);
  expect(stdout.toLowerCase()).toContain('"x-real-ip":"198.18.0.1"');
});

test("without AWS what was live stays live; then it goes on", async () => {
  await front.stop();
  await expect.poll(refusal).toEqual(expect.any(String));
  expect(await health()).toBe("200");
  front = await startAwsFront(moto);
  await expect.poll(refusal).toBeUndefined();
});

test("a certificate that is none is refused; the old one stays", async () => {
  await moto.secrets("PutSecretValue", {
    SecretId: `${secrets}certificate.json`,
    SecretString: (await certificate()).replace(
      /BEGIN CERTIFICATE/,
      "BEGIN NONSENSE",
    ),
  });
  await expect.poll(refusal).toEqual(expect.any(String));
  expect(await health()).toBe("200");
});

const lifecycle = "daytona-aws-lifecycle";

test("Auto Scaling lets it go: a long request lives until its end, then the machine may go", async () => {
  await labExec(machine, [
    ...["sh", "-ec"],
    // Long enough that a look at its health finds it draining.
    `sed -i s/GRACE_SECONDS=.*/GRACE_SECONDS=30/ /etc/daytona-edge/edge/env
     sed -i s/HEARTBEAT_SECONDS=.*/HEARTBEAT_SECONDS=4/ /etc/daytona-edge/aws/env
     systemctl restart ${lifecycle}`,
  ]);
  const request = await holdStream([
    ...["--cacert", trustFile, "--resolve", `${sandbox}:443:${balancer}`],
    `https://${sandbox}/sse?interval=1000`,
  ]);
  await letGo(machine);
  await expect.poll(() => health()).toBe("503");
  const actions = () => front.lifecycleRequests().map(({ Action }) => Action);
  await expect.poll(actions).toContain("RecordLifecycleActionHeartbeat");
  // HAProxy has its signal, and accepts nobody else.
  const state = async () => {
    const { stdout } = await labExec(machine, [
      ..."systemctl show --property=SubState --value daytona-edge".split(" "),
    ]);
    return stdout.trim();
  };
  await expect.poll(state).toBe("stop-sigterm");
  const seen = request.events();
  await expect.poll(() => request.events()).toBeGreaterThan(seen + 5);
  // Nothing was said of an end while the request lived, but that it drains.
  expect(new Set(actions())).toEqual(
    new Set(["RecordLifecycleActionHeartbeat"]),
  );
  expect(await request.end()).toBe(true);
  const ended = performance.now();
  await expect
    .poll(() => front.lifecycleRequests().at(-1))
    .toMatchObject({
      Action: "CompleteLifecycleAction",
      LifecycleHookName: "drain",
      AutoScalingGroupName: `${machine}-group`,
      InstanceId: `i-${machine}`,
      LifecycleActionResult: "CONTINUE",
      status: 200,
    });
  const seconds = (performance.now() - ended) / 1000;
  console.log(`request's end until it may go: ${seconds.toFixed(1)} s`);
});

test("without a connection it may go at once", async () => {
  await keep(machine);
  await labExec(machine, [
    ...["sh", "-ec"],
    `sed -i s/GRACE_SECONDS=.*/GRACE_SECONDS=2/ /etc/daytona-edge/edge/env
     systemctl start daytona-edge ${lifecycle}`,
  ]);
  await expect.poll(() => health()).toBe("200");
  const before = front.lifecycleRequests().length;
  const started = performance.now();
  await letGo(machine);
  await expect
    .poll(() =>
      front
        .lifecycleRequests()
        .slice(before)
        .find(({ Action }) => Action === "CompleteLifecycleAction"),
    )
    .toBeDefined();
  const seconds = (performance.now() - started) / 1000;
  console.log(`let go until it may go: ${seconds.toFixed(1)} s`);
});

test("another agent than the one that the user data names is not installed; the machine serves", async () => {
  const other = userData.replace(agent.sha256, "0".repeat(64));
  const boot = await lab(["machine", "boot", machine], { input: other });
  expect(boot.exitCode).toBe(0);
  const installed = await labExec(machine, ["dpkg", "-s", "amazon-ssm-agent"]);
  expect(installed.exitCode).not.toBe(0);
  const { stdout } = await labExec(machine, [
    ...["cat", "/var/log/cloud-init-output.log"],
  ]);
  expect(stdout).toContain("SESSION MANAGER IS NOT INSTALLED");
  await moto.secrets("PutSecretValue", {
    SecretId: `${secrets}certificate.json`,
    SecretString: await certificate(),
  });
  await expect.poll(() => health()).toBe("200");
});

test("another bundle than the one that the user data names is not installed", async () => {
  const other = userData.replace(/BUNDLE_SHA256=[0-9a-f]{8}/, (found) =>
    found.replace(/.{8}$/, "00000000"),
  );
  const boot = await lab(["machine", "boot", machine], { input: other });
  expect(boot.exitCode).not.toBe(0);
  const installed = await labExec(machine, ["ls", "/etc/daytona-edge"]);
  expect(installed.exitCode).not.toBe(0);
});
