/**
 * A machine of the lab boots from the very user data that production's
 * gateways get. Sandboxes reach it through a balancer that keeps their
 * addresses, so here they are one more address of the lab's operator side.
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
import { type Moto, startAwsFront, startMoto } from "./moto.ts";
import { plannedMachine, secrets } from "./production-plan.ts";

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
let stopFront: () => Promise<void>;
let userData: string;

beforeAll(async () => {
  const planned = await plannedMachine("gateway");
  ({ userData } = planned);
  moto = await startMoto(5_556);
  stopFront = await startAwsFront(moto);
  await planned.layBundle(moto);
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
}, 240_000);

afterAll(async () => {
  await lab(["machine", "remove", machine]);
  await inLab(["ip", "address", "delete", `${sandbox}/32`, "dev", "lab"]);
  await stopFront();
  await moto.stop();
  rmSync(directory, { recursive: true });
});

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
    ..."-o /dev/null -m 5 -w %{http_code}".split(" "),
    `http://${ipv4}:8404/healthz`,
  ]);
  return stdout;
};

/** What a sandbox is told. */
async function ask(url: string, ...args: string[]): Promise<string> {
  const { hostname, port, protocol } = new URL(url);
  const at = port || (protocol === "http:" ? "80" : "443");
  const { stdout, stderr } = await inLab([
    ...["curl", "-sS", "-m", "8", "--interface", sandbox],
    ...["--resolve", `${hostname}:${at}:${ipv4}`, "-w", " %{http_code}"],
    ...[...args, url],
  ]);
  return stdout + stderr;
}
const trusting = ["--cacert", authority];

test("boots, healthy once its rules are in force, and serves", async () => {
  const started = performance.now();
  const boot = await lab(["machine", "boot", machine], { input: userData });
  expect(boot.stderr + boot.stdout).toContain("status: done");
  expect(boot.exitCode).toBe(0);
  await expect.poll(() => health(), { timeout: 60_000 }).toBe("200");
  console.log(
    `boot to healthy: ${((performance.now() - started) / 1000).toFixed(1)} s; user data ${String(userData.length)} bytes`,
  );
  expect(await ask("https://openrouter.ai/api/v1/models", ...trusting)).toMatch(
    / 200$/,
  );
  // Spliced: it is the real host's certificate that is seen.
  expect(await ask("https://api.github.com/zen", "-k")).toMatch(/ 200$/);
}, 120_000);

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
  await expect.poll(() => health(), { timeout: 60_000 }).toBe("200");
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
    .poll(counted, { timeout: 90_000, interval: 1_000 })
    .toEqual([
      "daytona-gateway",
      "daytona-gateway",
      "daytona-gateway",
      "daytona-gateway-log",
    ]);
}, 120_000);

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
      ...["curl", "-sS", "-m", "3", "-o", "/dev/null", "--interface", from],
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
  await expect
    .poll(() => ask("https://example.org/", "-k"), { timeout: 30_000 })
    .toMatch(/ 200$/);
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
  await expect
    .poll(status, { timeout: 30_000 })
    .toContain("may not sign for example.org");
  // What was in force still is.
  expect(await ask("https://example.org/", "-k")).toMatch(/ 200$/);
  writeFileSync(
    authority,
    await makeAuthority(["openrouter.ai", "example.org"]),
  );
  await expect
    .poll(() => ask("https://example.org/closed", ...trusting), {
      timeout: 30_000,
    })
    .toMatch(/ 403$/);
});

test("a firewall that another program empties is back at once", async () => {
  await labExec(machine, ["nft", "flush", "ruleset"]);
  await expect
    .poll(
      async () =>
        (await labExec(machine, ["nft", "list", "tables"])).stdout.trim(),
      { timeout: 20_000 },
    )
    .toBe("table inet daytona_egress");
  expect(await ask("https://openrouter.ai/api/v1/models", ...trusting)).toMatch(
    / 200$/,
  );
});
