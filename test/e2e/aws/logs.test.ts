/**
 * A machine of production sends the rows of its journal to CloudWatch's
 * stand-in: all of them, once, across restarts, reboots and outages. And
 * operators' commands at the stack that it is a machine of.
 *
 * @module-tag aws
 * @module-tag edge
 */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Row as DoctorRow } from "../../../scripts/doctor/row.ts";
import { labSecrets } from "../../../scripts/lab/secrets.ts";
import { backend } from "../../../scripts/toolchain/backend.ts";
import { limits } from "../../../infra/machine/logs/batches.ts";
import * as patterns from "../../../infra/platforms/aws/row-patterns.ts";
import { awsMachines } from "../../../scripts/lab/machine-addresses.ts";
import {
  DOMAIN,
  FIRST_SANDBOX,
  lab,
  labCurl,
  labExec,
  script,
} from "../lab.ts";
import { readState } from "../live-state.ts";
import { matches } from "../../filter-pattern.ts";
import { type AwsFront, type Moto, startAwsFront, startMoto } from "./moto.ts";
import {
  type PlannedMachine,
  plannedMachine,
  secrets,
} from "./production-plan.ts";

const machine = "aws-edge";
const { ipv4 } = awsMachines[machine];
/** As the stack names the edges' log group; the stream is the instance's name. */
const stream = {
  logGroupName: "daytona-edge/prod/edge",
  logStreamName: machine,
};
const program = "daytona-logs";

let planned: PlannedMachine;
let moto: Moto;
let front: AwsFront;

beforeAll(async () => {
  planned = await plannedMachine("edge");
  moto = await startMoto(5_557);
  front = await startAwsFront(moto);
  await planned.layBundle(moto);
  await moto.secrets("CreateSecret", {
    Name: `${secrets}revocations.json`,
    SecretString: JSON.stringify({ revocations: [] }),
  });
  await moto.secrets("CreateSecret", {
    Name: `${secrets}certificate.json`,
    SecretString: await readState("edge", "store/certificate.json"),
  });
  const { stdout, stderr, exitCode } = await lab(["machine", "boot", machine], {
    input: planned.userData,
  });
  expect({ exitCode, said: stdout + stderr }).toMatchObject({ exitCode: 0 });
}, 900_000);

afterAll(async () => {
  await lab(["machine", "remove", machine]);
  await front.stop();
  await moto.stop();
  planned.remove();
});

type Row = Readonly<Record<string, unknown>>;

/** All that has come, in the order of its times. */
async function rows(): Promise<Row[]> {
  const all: Row[] = [];
  for (let nextToken: string | undefined; ;) {
    const page = await moto.logs<{
      events?: { message: string }[];
      nextForwardToken?: string;
    }>("GetLogEvents", { ...stream, startFromHead: true, nextToken });
    all.push(
      ...(page.events ?? []).map(({ message }) => JSON.parse(message) as Row),
    );
    // The end is where the token stays the same.
    if (!page.nextForwardToken || page.nextForwardToken === nextToken) {
      return all;
    }
    nextToken = page.nextForwardToken;
  }
}

/** How many rows with that mark in their path have come, and how many differ. */
async function marked(mark: string): Promise<[number, number]> {
  const paths = (await rows())
    .map(({ path }) => String(path))
    .filter((path) => path.includes(mark));
  return [paths.length, new Set(paths).size];
}

/** Asks the edge for what nobody has, so many times: each is a row. */
async function ask(mark: string, times: number, first = 1): Promise<void> {
  const { exitCode } = await labCurl([
    // As the balancer speaks, whose network the lab's is here.
    ...["-o", "/dev/null", "--haproxy-protocol"],
    `http://${ipv4}/${mark}/[${String(first)}-${String(first + times - 1)}]`,
  ]);
  expect(exitCode).toBe(0);
}

/** How many rows with that mark the machine itself has. */
async function inJournal(mark: string): Promise<number> {
  const { stdout } = await labExec(machine, [
    "sh",
    "-c",
    `journalctl --sync; journalctl -o cat -t daytona-edge-log | grep -c ${mark}`,
  ]);
  return Number(stdout);
}

/** How many rows with that mark come after what is written down as sent. */
async function notWrittenDown(mark: string): Promise<number> {
  const { stdout, stderr, exitCode } = await labExec(machine, [
    "sh",
    "-ec",
    `cursor=$(cat /var/lib/private/${program}/cursor)
     journalctl --sync
     journalctl --quiet -o cat -t daytona-edge-log --after-cursor="$cursor" | grep -c ${mark} || true`,
  ]);
  if (exitCode !== 0) throw new Error(stderr);
  return Number(stdout);
}

const health = async () => {
  const { stdout } = await labCurl([
    ...["-o", "/dev/null", "-w", "%{http_code}"],
    `http://${ipv4}:8404/healthz`,
  ]);
  return stdout;
};
const systemctl = (...args: string[]) =>
  labExec(machine, ["systemctl", ...args, program]);
const property = async (name: string) =>
  (await systemctl("show", "--value", `--property=${name}`)).stdout.trim();
const said = async () => {
  const { stdout } = await labExec(machine, [
    ..."journalctl --no-pager -o cat -n 20 -u".split(" "),
    program,
  ]);
  return stdout;
};

test("without a log group the edge is healthy all the same", async () => {
  await expect.poll(() => health()).toBe("200");
  await expect
    .poll(() => said())
    .toContain("not sent: The specified log group does not exist");
  expect(await property("ActiveState")).toBe("active");
});

test("once there is one, rows come that were there before it", async () => {
  await moto.logs("CreateLogGroup", {
    logGroupName: stream.logGroupName,
  });
  await expect
    .poll(async () => (await rows()).map(({ unit }) => unit), {
      interval: 1_000,
    })
    .toEqual(
      expect.arrayContaining([
        "daytona-edge",
        "daytona-edge-agent",
        "daytona-logs",
      ]),
    );
  await expect.poll(() => said()).toContain("sent again");
  // What systemd says about a unit is the unit's.
  await expect.poll(rows).toContainEqual({
    message: expect.stringMatching(/^Started daytona-edge\.service/) as string,
    unit: "daytona-edge",
  });
});

test("a request is one row, as the edge wrote it, and whose it is", async () => {
  const mark = crypto.randomUUID();
  await ask(mark, 1);
  await expect.poll(() => marked(mark)).toEqual([1, 1]);
  const found = (await rows()).find(({ path }) =>
    String(path).startsWith(`/${mark}`),
  );
  expect(found).toMatchObject({
    unit: "daytona-edge",
    status: 404,
    error: "unknown_host",
    client: "198.18.0.1",
    requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
  });
});

test("what is counted: requests, the edge's own errors, answers, its words", async () => {
  const mark = crypto.randomUUID();
  const ofSandbox = (port: number, path: string) =>
    labCurl([
      ...["-k", "-o", "/dev/null", "--haproxy-protocol", "--connect-to"],
      `::${ipv4}:`,
      `https://${FIRST_SANDBOX}-${String(port)}.${DOMAIN}/${path}?${mark}`,
    ]);
  const earlier = (await rows()).length;
  await ask(mark, 3);
  await ofSandbox(3000, `status/503`);
  await ofSandbox(3000, `headers`);
  // Nobody listens there.
  await ofSandbox(3999, mark);
  const counted = async (pattern: string) =>
    (await rows())
      .slice(earlier)
      .map((row) => JSON.stringify(row))
      .filter((row) => matches(pattern, row)).length;
  await expect.poll(() => counted(patterns.requests)).toBe(6);
  expect(await counted(patterns.ownErrors)).toBe(1);
  expect(await counted(patterns.answered)).toBe(3);
  // It says so once a minute.
  await expect
    .poll(() => counted(patterns.alive), { interval: 2_000, timeout: 240_000 })
    .toBeGreaterThanOrEqual(1);
});

test("a restart loses no row and sends none again", async () => {
  const mark = crypto.randomUUID();
  await ask(mark, 20);
  await expect.poll(() => marked(mark)).toEqual([20, 20]);
  // Who dies with CloudWatch's answer in hand sends again; this one has it.
  await expect.poll(() => notWrittenDown(mark)).toBe(0);
  await systemctl("kill", "--signal=KILL");
  await ask(mark, 40);
  await expect.poll(() => marked(mark)).toEqual([60, 40]);
  await sleep(6_000);
  expect(await marked(mark)).toEqual([60, 40]);
});

test("who ends it gets the last rows out", async () => {
  const mark = crypto.randomUUID();
  await ask(mark, 50);
  await expect.poll(() => inJournal(mark)).toBe(50);
  await systemctl("stop");
  expect(await property("Result")).toBe("success");
  // Nobody sends any more: they are there.
  expect(await marked(mark)).toEqual([50, 50]);
  await systemctl("start");
});

test(
  "an outage holds nothing up; then all comes, once, in full batches",
  {
    timeout: 1_800_000,
  },
  async () => {
    const mark = crypto.randomUUID();
    await front.stop();
    await ask(mark, 12_000);
    // A hurried HAProxy drops rows rather than wait for journald.
    for (let next = 12_001; (await inJournal(mark)) <= limits.events;) {
      await ask(mark, 2_000, next);
      next += 2_000;
    }
    await expect.poll(() => said()).toContain("not sent: connect ECONNREFUSED");
    await ask(`${mark}-later`, 10);
    expect(await health()).toBe("200");
    const { stdout } = await labExec(machine, [
      "cat",
      `/proc/${await property("MainPID")}/status`,
    ]);
    const most = Number(/VmHWM:\s+(\d+) kB/.exec(stdout)?.[1]) / 1024;
    console.log(`most memory while CloudWatch is away: ${most.toFixed(0)} MiB`);
    expect(most).toBeLessThan(160);
    expect(await property("NRestarts")).toBe("0");
    // Whoever restarts it then waits for nobody.
    await systemctl("restart");
    expect(await said()).not.toContain("State 'stop-sigterm' timed out");
    front = await startAwsFront(moto);
    const written = await inJournal(mark);
    expect(written).toBeGreaterThan(limits.events);
    await expect
      .poll(() => marked(mark), { interval: 2_000, timeout: 900_000 })
      .toEqual([written, written]);
  },
);

test(
  "after a reboot it goes on where it was",
  {
    timeout: 900_000,
  },
  async () => {
    const mark = crypto.randomUUID();
    await front.stop();
    await ask(mark, 30);
    await expect.poll(() => inJournal(mark)).toBe(30);
    const reboot = await lab(["machine", "reboot", machine]);
    expect(reboot.exitCode).toBe(0);
    front = await startAwsFront(moto);
    await expect
      .poll(() => marked(mark), { interval: 1_000 })
      .toEqual([30, 30]);
  },
);

test("it is nobody, reads the journal, and writes where it left off alone", async () => {
  const { stdout } = await labExec(machine, [
    "sh",
    "-ec",
    `pid=$(systemctl show --property=MainPID --value ${program})
     grep -E '^(Uid|CapEff|NoNewPrivs|Seccomp):' /proc/$pid/status
     user=$(sed -n 's/^Uid:\\t\\([0-9]*\\).*/\\1/p' /proc/$pid/status)
     group=$(sed -n 's/^Gid:\\t\\([0-9]*\\).*/\\1/p' /proc/$pid/status)
     nsenter --target=$pid --mount setpriv --reuid=$user --regid=$group --clear-groups sh -c '
       for path in / /etc /home /root /run /run/systemd /usr /var /var/lib /var/lib/private/* /etc/daytona-edge /sys/fs/cgroup; do
         [ ! -w "$path" ] || echo "writes $path"
       done
       ls /var/lib/daytona-edge /etc/shadow >/dev/null 2>&1 && echo "sees the state"
       cat /etc/shadow >/dev/null 2>&1 && echo "reads secrets"
       true'`,
  ]);
  const lines = stdout.split("\n");
  expect(lines[0]).not.toMatch(/\t0\t/);
  expect(lines.slice(1)).toEqual([
    "CapEff:\t0000000000000000",
    "NoNewPrivs:\t1",
    "Seccomp:\t2",
    "writes /var/lib/private/daytona-logs",
  ]);
});

test("systemd finds nothing wrong with its unit", async () => {
  const { stdout } = await labExec(machine, [
    "sh",
    "-c",
    `systemd-analyze verify /etc/systemd/system/${program}.service 2>&1`,
  ]);
  expect(stdout).toBe("");
});

describe("operators' commands", () => {
  /** As an operator calls one, with AWS' stand-in for AWS. */
  const tool = (name: string, ...args: string[]) =>
    script(
      `${name}.ts`,
      [...args, "--stack", "prod", "--cwd", planned.workDir],
      {
        env: {
          ...backend(planned.workDir),
          ...moto.environment,
          DAYTONA_API_URL: "http://198.18.0.3:3000/api",
          DAYTONA_API_KEY: labSecrets().daytonaApiKey,
        },
      },
    );
  const said = async (name: string, ...args: string[]) => {
    const { stdout, stderr, exitCode } = await tool(name, ...args);
    expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
    return stdout;
  };

  test("outputs are the stack's", async () => {
    expect(JSON.parse(await said("outputs"))).toMatchObject({
      contract: 1,
      domain: DOMAIN,
      egress: { gatewayName: "gateway.internal" },
    });
  });

  test("a revoked sandbox is refused by the machine that reads the store", async () => {
    const error = async () => {
      const { stdout } = await labCurl([
        ...["-k", "-o", "/dev/null", "--haproxy-protocol", "--connect-to"],
        ...[`::${ipv4}:`, "-w", "%{http_code} %header{x-sandbox-error}"],
        `https://${FIRST_SANDBOX}-3000.${DOMAIN}/headers`,
      ]);
      return stdout.trim();
    };
    await expect.poll(error).toBe("200");
    expect(await said("sandbox", "revoke", FIRST_SANDBOX)).toContain(
      `Revoked ${FIRST_SANDBOX} on the stack prod`,
    );
    await expect.poll(error).toMatch(/^403 /);
    expect(await said("sandbox", "revocations")).toContain(FIRST_SANDBOX);
    await said("sandbox", "restore", FIRST_SANDBOX);
    await expect.poll(error).toBe("200");
  });

  test("denials are read from the gateways' log group", async () => {
    const group = { logGroupName: "daytona-edge/prod/gateway" };
    const missing = await tool("egress", "denials");
    expect(missing.stderr).toContain(`no log group ${group.logGroupName}`);
    await moto.logs("CreateLogGroup", group);
    const place = { ...group, logStreamName: "i-gateway" };
    await moto.logs("CreateLogStream", place);
    // As infra/machine/logs sends what the gateway's units say.
    const sent = [
      {
        ...{ kind: "tls", client: "10.81.0.9", host: "example.org" },
        ...{ verdict: "host_not_allowed", unit: "daytona-gateway" },
      },
      {
        message:
          "[1795617613] unbound[20780:0] info: . always_nxdomain 10.81.0.9@55028 example.net. A IN",
        unit: "daytona-gateway-resolver",
      },
      { kind: "alive", unit: "daytona-logs" },
    ];
    await moto.logs("PutLogEvents", {
      ...place,
      logEvents: sent.map((row) => ({
        timestamp: Date.now(),
        message: JSON.stringify(row),
      })),
    });
    const found = (await said("egress", "denials", "--json"))
      .split("\n")
      .map((line) => JSON.parse(line) as unknown);
    expect(found).toEqual([
      expect.objectContaining({ by: "proxy", wanted: "example.org" }),
      expect.objectContaining({ by: "resolver", wanted: "example.net A" }),
    ]);
  });

  test("doctor: the certificate, the machines, and what rings", async () => {
    const tags = {
      "Tags.member.1.Key": "project",
      "Tags.member.1.Value": "daytona-edge",
      "Tags.member.2.Key": "stack",
      "Tags.member.2.Value": "prod",
    };
    const vpc = await moto.query("ec2", "CreateVpc", {
      CidrBlock: "10.0.0.0/16",
    });
    for (const [name, theirs] of [
      ["aws-edge-targets-443-0000001", tags],
      ["aws-gateway-targets-443-0000001", tags],
      ["another-stack", {}],
    ] as const) {
      const made = await moto.query(
        "elasticloadbalancing",
        "CreateTargetGroup",
        {
          ...{ Name: name, Protocol: "TCP", Port: "443", ...theirs },
          VpcId: /vpc-[0-9a-f]+/.exec(vpc)?.[0] ?? "",
        },
      );
      if (name.startsWith("aws-gateway")) continue;
      await moto.query("elasticloadbalancing", "RegisterTargets", {
        TargetGroupArn: /arn:[^<]+/.exec(made)?.[0] ?? "",
        "Targets.member.1.Id": "i-1",
        "Targets.member.2.Id": "i-2",
      });
    }
    for (const [name, theirs] of [
      ["aws-edge-health", tags],
      ["of another stack", {}],
    ] as const) {
      await moto.query("monitoring", "PutMetricAlarm", {
        ...{ AlarmName: name, AlarmDescription: "Fewer than 2 edges" },
        ...{ MetricName: "m", Namespace: "n", Statistic: "Sum", Period: "60" },
        ...{ ComparisonOperator: "LessThanThreshold", Threshold: "1" },
        ...{ EvaluationPeriods: "1", ...theirs },
      });
      await moto.query("monitoring", "SetAlarmState", {
        ...{ AlarmName: name, StateValue: "ALARM", StateReason: "a test" },
      });
    }
    const { stdout, stderr, exitCode } = await tool("doctor", "--json");
    expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 1 });
    const { rows } = JSON.parse(stdout) as { rows: DoctorRow[] };
    const found = Object.fromEntries(
      rows.map((row) => [row.what, `${row.state}: ${row.found}`]),
    );
    expect(found).toMatchObject({
      certificate: expect.stringMatching(/^good: /) as string,
      // Nobody has written a report there.
      renewal: "bad: no run has ever reported",
      "edges, aws-edge-targets-443-0000001": "good: 2 of 2 healthy, 2 wanted",
      "gateways, aws-gateway-targets-443-0000001":
        "bad: 0 of 0 healthy, 2 wanted",
      alarms: "bad: aws-edge-health: Fewer than 2 edges",
    });
    expect(Object.keys(found)).not.toContain("edges, another-stack");
  });

  test("verify runs its commands by Daytona's API", async () => {
    const { stdout, stderr } = await tool(
      "verify",
      ...["--sandbox", FIRST_SANDBOX, "--json"],
    );
    const { results } = JSON.parse(stdout || stderr) as {
      results: { road: string; name: string; ok: boolean; got: string }[];
    };
    const out = results.filter(({ road }) => road === "out");
    expect(out.length).toBeGreaterThan(10);
    expect(out.filter(({ ok }) => !ok)).toEqual([]);
  });
});
