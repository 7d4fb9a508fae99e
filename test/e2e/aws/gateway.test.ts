/**
 * A machine of the lab boots from the very user data that production's
 * gateways get. Sandboxes reach it through a balancer that keeps their
 * addresses, so here they are one more address of the lab's operator side.
 *
 * @module-tag surroundings
 * @module-tag aws
 * @module-tag certificate
 * @module-tag gateway
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { lambdaProgram } from "../../../infra/certificate/lambda-program.ts";
import { denials } from "../../../infra/platforms/aws/row-patterns.ts";
import { credentialsDocument } from "../../../infra/gateway/credentials-document.ts";
import { rulesDocument } from "../../../infra/gateway/rules-document.ts";
import { parseEgressRules } from "../../../infra/gateway/rules.ts";
import { awsMachines } from "../../../scripts/lab/machine-addresses.ts";
import { stackFile } from "../../../scripts/stack.ts";
import { matches } from "../../filter-pattern.ts";
import { inLab, lab, labCurl, labExec } from "../lab.ts";
import { holdStream } from "./held-stream.ts";
import { keep, letGo, tellMachine } from "./metadata.ts";
import { type AwsFront, type Moto, startAwsFront, startMoto } from "./moto.ts";
import { plannedMachine, secrets } from "./production-plan.ts";
import {
  type PublicAddress,
  allocate,
  give,
  giveBack,
  holders,
  instance,
} from "./public-addresses.ts";

const machine = "aws-gateway";
const { ipv4 } = awsMachines[machine];
/** In the sandboxes' network, as production has it. */
const sandbox = "10.81.0.5";

/** As the stack names it. */
const logGroup = "daytona-edge/prod/gateway";

const directory = mkdtempSync(join(tmpdir(), "daytona-edge-aws-gateway-"));
const authority = join(directory, "authority.pem");
const allowed = (
  stackFile("prod").config["daytona-edge:egress"] as { allow: string[] }
).allow;
let moto: Moto;
let front: AwsFront;
let userData: string;
/** The stack's public addresses, and machines that have them before. */
let addresses: readonly PublicAddress[];
let others: readonly string[];
/** The machine, as EC2 knows it. */
let instanceId: string;

beforeAll(async () => {
  const planned = await plannedMachine("gateway");
  moto = await startMoto(5_556);
  front = await startAwsFront(moto);
  addresses = [await allocate(moto), await allocate(moto)];
  others = [await instance(moto), await instance(moto)];
  instanceId = await instance(moto);
  userData = withAddresses(planned.userData, addresses);
  await planned.layBundle(moto);
  planned.remove();
  writeFileSync(authority, await makeAuthority(["openrouter.ai"]));
  await moto.secrets("CreateSecret", {
    Name: `${secrets}egress-credentials.json`,
    SecretString: credentialsDocument({}),
  });
  await moto.secrets("CreateSecret", {
    Name: `${secrets}egress-rules.json`,
    SecretString: rules(allowed),
  });
  await inLab(["ip", "address", "add", `${sandbox}/32`, "dev", "lab"]);
}, 900_000);

afterAll(async () => {
  await lab(["machine", "remove", machine]);
  await inLab(["ip", "address", "delete", `${sandbox}/32`, "dev", "lab"]);
  await front.stop();
  await moto.stop();
  rmSync(directory, { recursive: true });
});

/** What production lists, with what EC2's stand-in has. */
function withAddresses(
  planned: string,
  given: readonly PublicAddress[],
): string {
  const line = /eipalloc-\w+ [\d.]+/g;
  // As many as there can be, and as come before others go.
  expect(planned.match(line)).toHaveLength(8);
  let next = 0;
  return planned.replace(line, () => {
    const address = given[next++];
    return address ? `${address.allocation} ${address.ipv4}` : "";
  });
}

function rules(allow: readonly unknown[]): string {
  const parsed = parseEgressRules(allow);
  expect(parsed.problems).toEqual([]);
  return rulesDocument(parsed.rules);
}

/** The function of production, with the hosts that are inspected. */
async function makeAuthority(hosts: readonly string[]): Promise<string> {
  const bundle = join(directory, "index.cjs");
  writeFileSync(bundle, lambdaProgram("authority-lambda.ts"));
  const { stdout, stderr } = await inLab(
    [
      process.execPath,
      join(import.meta.dirname, "../fixtures/lambda.ts"),
      ...[bundle, JSON.stringify({ hosts })],
    ],
    { env: { ...moto.environment, AUTHORITY_SECRETS: secrets } },
  );
  const { result, error } = JSON.parse(stdout || stderr) as {
    result?: { certificate: string };
    error?: string;
  };
  expect(error).toBeUndefined();
  return result?.certificate ?? "";
}

const health = async () => {
  const { stdout } = await labCurl([
    // A packet that is dropped is no answer; who is busy may take longer.
    ..."-o /dev/null --connect-timeout 5 -m 60 -w %{http_code}".split(" "),
    `http://${ipv4}:8404/healthz`,
  ]);
  return stdout;
};

/** What a sandbox is told. */
async function ask(url: string, ...args: string[]): Promise<string> {
  const { hostname, port, protocol } = new URL(url);
  const at = port || (protocol === "http:" ? "80" : "443");
  const { stdout, stderr } = await inLab([
    ...["curl", "-sS", "--connect-timeout", "8", "-m", "60"],
    ...["--interface", sandbox, "--resolve", `${hostname}:${at}:${ipv4}`],
    ...["-w", " %{http_code}", ...args, url],
  ]);
  return stdout + stderr;
}
const trusting = ["--cacert", authority];

/** Rows of a unit's log on the machine. */
async function rows(unit: string): Promise<string> {
  const { stdout } = await labExec(machine, [
    ...["journalctl", "--no-pager", "-o", "cat", "-u", unit],
  ]);
  return stdout;
}
const address = "daytona-aws-public-address";
const lifecycle = "daytona-aws-lifecycle";

let booted: ReturnType<typeof lab>;
let started: number;

test(
  "serves nobody while no public address of the stack's is free",
  {
    timeout: 900_000,
  },
  async () => {
    for (const [index, it] of addresses.entries()) {
      await give(moto, it, others[index] ?? "");
    }
    started = performance.now();
    booted = lab(["machine", "boot", machine], { input: userData });
    await expect
      .poll(() =>
        tellMachine(machine, { "instance-id": instanceId }).then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
    // A whole boot and an install come before it.
    await expect
      .poll(() => rows(address), { timeout: 600_000 })
      .toContain("NONE IS FREE: all 2 belong to other machines");
    expect(await health()).toBe("000");
    expect(await ask("https://api.github.com/zen", "-k")).toMatch(/ 000/);
    // Nobody's address was taken away.
    expect(await holders(moto, addresses)).toEqual(others);
  },
);

test(
  "takes the one that is given back; healthy once its rules are in force, and serves",
  {
    timeout: 900_000,
  },
  async () => {
    const [, second] = addresses;
    if (!second) throw new Error("there are two");
    await giveBack(moto, second);
    const boot = await booted;
    expect(boot.stderr + boot.stdout).toContain("status: done");
    expect(boot.exitCode).toBe(0);
    await expect.poll(() => health()).toBe("200");
    console.log(
      `boot to healthy, waiting for an address: ${((performance.now() - started) / 1000).toFixed(1)} s; user data ${String(userData.length)} bytes`,
    );
    expect(await holders(moto, addresses)).toEqual([others[0], instanceId]);
    expect(await rows(address)).toContain(`this machine has ${second.ipv4}`);
    expect(
      await ask("https://openrouter.ai/api/v1/models", ...trusting),
    ).toMatch(/ 200$/);
    // Spliced: it is the real host's certificate that is seen.
    expect(await ask("https://api.github.com/zen", "-k")).toMatch(/ 200$/);
  },
);

test("a machine that has one takes no other", async () => {
  const [first, second] = addresses;
  if (!first || !second) throw new Error("there are two");
  await giveBack(moto, first);
  await tellMachine(machine, { "public-ipv4": second.ipv4 });
  await labExec(machine, [
    ...["sh", "-ec"],
    // There is no balancer here that would have to look away.
    `sed -i s/GRACE_SECONDS=.*/GRACE_SECONDS=2/ /etc/daytona-edge/gateway/env
     systemctl restart ${address}`,
  ]);
  expect(await holders(moto, addresses)).toEqual(["", instanceId]);
  // What serves from it started again, after it.
  await expect.poll(() => health()).toBe("200");
});

test("systemd finds nothing wrong with the units that AWS adds", async () => {
  const { stdout } = await labExec(machine, [
    ...["sh", "-c"],
    "systemd-analyze verify /etc/systemd/system/daytona-aws-*.service daytona-gateway.service 2>&1",
  ]);
  expect(stdout).toBe("");
});

test("machines that want one at the same time get different ones", async () => {
  const many = await Promise.all([1, 2, 3].map(() => allocate(moto)));
  const at = await Promise.all([1, 2, 3].map(() => instance(moto)));
  const list = many.map(({ allocation, ipv4 }) => `${allocation} ${ipv4}`);
  // The machine's own script, which believes to be on another one.
  const outcomes = await Promise.all(
    at.map((id) =>
      labExec(machine, [
        ...["sh", "-euc"],
        `here=$(mktemp -d)
         cp /usr/local/lib/daytona-edge/aws/*.sh $here
         sed -i 's/^imds_get()/of_this_one()/' $here/imds.sh
         echo 'imds_get() { case $1 in instance-id) echo ${id} ;; *) of_this_one "$1" ;; esac; }' >>$here/imds.sh
         printf '%s\n' ${list.map((line) => `'${line}'`).join(" ")} >$here/list
         AWS_REGION=eu-central-1 $here/public-address.sh $here/list`,
      ]),
    ),
  );
  expect(outcomes.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
  expect((await holders(moto, many)).sort()).toEqual([...at].sort());
});

test("without rules nothing goes out, and it is not healthy", async () => {
  await labExec(machine, [
    ...["sh", "-ec"],
    `systemctl stop daytona-gateway-agent daytona-gateway
     cp -a /var/lib/daytona-edge/gateway /root/
     find /var/lib/daytona-edge/gateway -mindepth 1 -delete
     systemctl start daytona-gateway`,
  ]);
  try {
    expect(await health()).toBe("503");
    expect(await ask("https://api.github.com/zen", "-k")).toMatch(/ 000/);
  } finally {
    await labExec(machine, [
      ...["sh", "-ec"],
      `systemctl stop daytona-gateway
       cp -a /root/gateway /var/lib/daytona-edge/
       systemctl start daytona-gateway daytona-gateway-agent`,
    ]);
  }
  await expect.poll(() => health()).toBe("200");
});

test("what no rule allows is refused", async () => {
  const path = await ask("https://openrouter.ai/other", ...trusting);
  expect(path).toContain("egress_denied");
  expect(path).toMatch(/ 403$/);
  expect(await ask("https://example.org/", "-k")).toMatch(/ 000/);
  expect(await ask("http://example.org/")).toMatch(/ 403$/);
});

test("refusals, and nothing else, count as such in its log", async () => {
  await moto.logs("CreateLogGroup", { logGroupName: logGroup });
  const mark = crypto.randomUUID().slice(0, 8);
  await ask(`https://${mark}.example.org/`, "-k");
  await ask(`http://${mark}.example.org/`);
  await ask(`https://openrouter.ai/${mark}`, ...trusting);
  await ask(`https://openrouter.ai/api/v1/models?${mark}`, ...trusting);
  // Of a port that is none of its, the firewall says it.
  const port = 20_000 + (parseInt(mark, 16) % 40_000);
  await ask(`http://${mark}.example.com:${String(port)}/`);
  const counted = async () => {
    const { events = [] } = await moto.logs<{
      events?: { message: string }[];
    }>("GetLogEvents", {
      logGroupName: logGroup,
      logStreamName: machine,
      startFromHead: true,
    });
    return events
      .map(({ message }) => message)
      .filter((message) => matches(denials, message))
      .filter((row) => row.includes(mark) || row.includes(String(port)))
      .map((row) => (JSON.parse(row) as { unit: string }).unit)
      .sort();
  };
  await expect
    .poll(counted, { interval: 1_000 })
    .toEqual([
      "daytona-gateway",
      "daytona-gateway",
      "daytona-gateway",
      "daytona-gateway-log",
    ]);
});

test("all gateways serve one authority", async () => {
  const { stdout } = await inLab([
    ...["curl", "-sS", "--interface", sandbox],
    ...["--resolve", `gateway.internal:80:${ipv4}`],
    "http://gateway.internal/ca.pem",
  ]);
  const made = await makeAuthority(["openrouter.ai"]);
  expect(`${stdout}\n`).toBe(made);
});

test("sandboxes reach two ports, others none, the balancer its health", async () => {
  const reach = async (from: string, port: number) => {
    const { stderr } = await inLab([
      ...["curl", "-sS", "-m", "20", "-o", "/dev/null", "--interface", from],
      `http://${ipv4}:${String(port)}/`,
    ]);
    return /Failed to connect/.test(stderr) ? "refused" : "reached";
  };
  const ports = [22, 53, 80, 443, 5353, 8404];
  const reached = async (from: string) => {
    const said = await Promise.all(
      ports.map(async (port) => [port, await reach(from, port)] as const),
    );
    return said.filter(([, what]) => what === "reached").map(([port]) => port);
  };
  expect(await reached(sandbox)).toEqual([80, 443]);
  expect(await reached("198.18.0.1")).toEqual([8404]);
});

test("what is refused is refused at once, and is in the log", async () => {
  const { stderr } = await inLab([
    ...["curl", "-sS", "-m", "60", "--interface", sandbox],
    `http://${ipv4}:2222/`,
  ]);
  // 28 would be the end of curl's patience.
  expect(stderr).toMatch(/curl: \(7\) Failed to connect/);
  // ulogd writes a row up to a second after the packet.
  await expect
    .poll(() => rows("daytona-gateway-log"))
    .toMatch(
      /^\{(?=.*"oob.prefix": "egress refused")(?=.*"src_ip": "10.81.0.5")(?=.*"dest_port": 2222)/m,
    );
});

test("it is no router, whatever the kernel is told", async () => {
  const via = ["203.0.113.20/32", "via", ipv4, "src", sandbox];
  const forward = (value: string) =>
    labExec(machine, ["sysctl", "-w", `net.ipv4.ip_forward=${value}`]);
  const refusals = async () => {
    const { stdout } = await labExec(machine, [
      ..."nft list chain inet daytona_egress refuse".split(" "),
    ]);
    return Number(/counter packets (\d+)/.exec(stdout)?.[1]);
  };
  const direct = () =>
    inLab([
      ...["curl", "-sS", "-m", "2", "-o", "/dev/null", "--interface", sandbox],
      "http://203.0.113.20/",
    ]);
  await inLab(["ip", "route", "add", ...via]);
  try {
    const before = await refusals();
    expect((await direct()).exitCode).not.toBe(0);
    // The kernel itself did not route it.
    expect(await refusals()).toBe(before);
    await forward("1");
    expect((await direct()).exitCode).not.toBe(0);
    expect(await refusals()).toBeGreaterThan(before);
  } finally {
    await forward("0");
    await inLab(["ip", "route", "delete", ...via]);
  }
});

test("other rules are in force within 10 s, without another machine", async () => {
  const started = performance.now();
  await moto.secrets("PutSecretValue", {
    SecretId: `${secrets}egress-rules.json`,
    SecretString: rules([...allowed, "https://example.org/*"]),
  });
  await expect.poll(() => ask("https://example.org/", "-k")).toMatch(/ 200$/);
  console.log(
    `a rule in force after ${((performance.now() - started) / 1000).toFixed(1)} s`,
  );
});

test("rules that inspect a host wait for the authority that may sign for it", async () => {
  await moto.secrets("PutSecretValue", {
    SecretId: `${secrets}egress-rules.json`,
    SecretString: rules([...allowed, "https://example.org/open/*"]),
  });
  const status = async () =>
    (await labExec(machine, ["cat", "/run/daytona-gateway/status.json"]))
      .stdout;
  await expect.poll(status).toContain("may not sign for example.org");
  // What was in force still is.
  expect(await ask("https://example.org/", "-k")).toMatch(/ 200$/);
  writeFileSync(
    authority,
    await makeAuthority(["openrouter.ai", "example.org"]),
  );
  await expect
    .poll(() => ask("https://example.org/closed", ...trusting))
    .toMatch(/ 403$/);
});

test("a firewall that another program empties is back at once", async () => {
  await labExec(machine, ["nft", "flush", "ruleset"]);
  await expect
    .poll(async () =>
      (await labExec(machine, ["nft", "list", "tables"])).stdout.trim(),
    )
    .toBe("table inet daytona_egress");
  expect(await ask("https://openrouter.ai/api/v1/models", ...trusting)).toMatch(
    / 200$/,
  );
});

test("Auto Scaling lets it go: a stream lives until its end, then the machine may go", async () => {
  await labExec(machine, [
    ...["sh", "-ec"],
    // Long enough that a look at its health finds it draining.
    `sed -i s/GRACE_SECONDS=.*/GRACE_SECONDS=30/ /etc/daytona-edge/gateway/env
     sed -i s/HEARTBEAT_SECONDS=.*/HEARTBEAT_SECONDS=4/ /etc/daytona-edge/aws/env
     systemctl restart ${lifecycle}`,
  ]);
  const stream = await holdStream([
    ...["--interface", sandbox, ...trusting],
    ...["--resolve", `openrouter.ai:443:${ipv4}`],
    "https://openrouter.ai/api/v1/sse",
  ]);
  await letGo(machine);
  await expect.poll(() => health()).toBe("503");
  const said = () => front.lifecycleRequests();
  await expect.poll(() => said().length).toBeGreaterThan(1);
  // HAProxy has its signal, and accepts nobody else.
  const state = async () => {
    const { stdout } = await labExec(machine, [
      ..."systemctl show --property=SubState --value daytona-gateway".split(
        " ",
      ),
    ]);
    return stdout.trim();
  };
  await expect.poll(state).toBe("stop-sigterm");
  const seen = stream.events();
  await expect.poll(() => stream.events()).toBeGreaterThan(seen + 10);
  // Nothing was said of an end while the stream lived, but that it drains.
  expect(new Set(said().map(({ Action }) => Action))).toEqual(
    new Set(["RecordLifecycleActionHeartbeat"]),
  );
  expect(await stream.end()).toBe(true);
  const ended = performance.now();
  await expect
    .poll(() => said().at(-1))
    .toEqual({
      Action: "CompleteLifecycleAction",
      Version: "2011-01-01",
      LifecycleHookName: "drain",
      AutoScalingGroupName: `${machine}-group`,
      InstanceId: instanceId,
      LifecycleActionResult: "CONTINUE",
      status: 200,
    });
  const seconds = (performance.now() - ended) / 1000;
  console.log(`stream's end until it may go: ${seconds.toFixed(1)} s`);
  // The first word of it came too early, and was said again.
  const actions = said().map(
    ({ Action, status }) => `${Action} ${String(status)}`,
  );
  expect(actions.slice(-2)).toEqual([
    "CompleteLifecycleAction 400",
    "CompleteLifecycleAction 200",
  ]);
  expect(actions.slice(0, -2).length).toBeGreaterThan(1);
  expect(new Set(actions.slice(0, -2))).toEqual(
    new Set(["RecordLifecycleActionHeartbeat 200"]),
  );
  expect(await rows(lifecycle)).toMatch(/drained after \d+ s/);
  await keep(machine);
});
