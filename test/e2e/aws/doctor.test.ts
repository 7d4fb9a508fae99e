/**
 * `npm run doctor` on a stack of the platform aws, with moto as AWS: a stack in
 * order, and one thing at a time gone wrong.
 *
 * @module-tag surroundings
 * @module-tag aws
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod";
import { checkout } from "../../../scripts/checkout.ts";
import type { Row } from "../../../scripts/doctor/row.ts";
import { backend } from "../../../scripts/toolchain/backend.ts";
import { inLab, script } from "../lab.ts";
import { type Moto, startMoto } from "./moto.ts";
import { type PlannedMachine, plannedMachine } from "./production-plan.ts";

const tags = [
  ["project", "daytona-edge"],
  ["stack", "prod"],
] as const;
const quota = { onDemand: "L-1216C47A", addresses: "L-0263D0A3" };
type Kind = "edge" | "gateway";

let planned: PlannedMachine;
let moto: Moto;
let nowhere: readonly string[];
let subnets: string[];
/** Names of the groups, and ids of their launch templates, by their kind. */
let templates: Record<Kind, string>;
let stack: {
  readonly edge: readonly string[];
  readonly gateway: readonly string[];
};

beforeAll(async () => {
  planned = await plannedMachine("edge");
  moto = await startMoto(5_558);
  const { stdout } = await tool("outputs");
  const outputs = z
    .object({
      edge: z.object({ addresses: z.array(z.string()) }),
      gateway: z.object({ publicAddresses: z.array(z.string()) }),
    })
    .parse(JSON.parse(stdout));
  stack = {
    edge: outputs.edge.addresses.filter((address) => !address.includes(":")),
    gateway: outputs.gateway.publicAddresses,
  };
  for (const address of [...stack.edge, ...stack.gateway]) {
    await allocate(address);
  }
  // Nobody waits for what is nowhere.
  nowhere = outputs.edge.addresses;
  await Promise.all(nowhere.map((address) => loopback("add", address)));
  const vpc = idIn(
    "vpcId",
    await moto.query("ec2", "CreateVpc", { CidrBlock: "10.0.0.0/16" }),
  );
  subnets = [];
  for (const [index, zone] of ["a", "b"].entries()) {
    const made = await moto.query("ec2", "CreateSubnet", {
      ...{ VpcId: vpc, CidrBlock: `10.0.0.${String(16 * index)}/28` },
      AvailabilityZone: `eu-central-1${zone}`,
    });
    subnets.push(idIn("subnetId", made));
  }
  templates = {
    edge: await machines("edge", vpc),
    gateway: await machines("gateway", vpc),
  };
  await ring();
  await usedVcpus(4);
  await allow(quota.onDemand, 32);
}, 900_000);

afterAll(async () => {
  await Promise.all(nowhere.map((address) => loopback("delete", address)));
  await moto.stop();
  planned.remove();
});

async function loopback(
  verb: "add" | "delete",
  address: string,
): Promise<void> {
  await inLab(["ip", "address", verb, address, "dev", "lo"]);
}

/** An alarm of the stack: doctor asks whose each is. */
async function ring(): Promise<void> {
  const AlarmName = "aws-edge-health";
  await moto.query("monitoring", "PutMetricAlarm", {
    ...{ AlarmName, AlarmDescription: "Fewer than 2 edges" },
    ...{ MetricName: "m", Namespace: "n", Statistic: "Sum", Period: "60" },
    ...{ ComparisonOperator: "LessThanThreshold", Threshold: "1" },
    EvaluationPeriods: "1",
  });
  await moto.query("monitoring", "SetAlarmState", {
    ...{ AlarmName, StateValue: "ALARM", StateReason: "a test" },
  });
}

function idIn(tag: string, xml: string): string {
  const id = new RegExp(`<${tag}>([^<]+)</${tag}>`).exec(xml)?.[1];
  if (id === undefined) throw new Error(`no ${tag} in ${xml}`);
  return id;
}

/** One of the stack's. */
async function allocate(address: string): Promise<void> {
  await moto.query("ec2", "AllocateAddress", {
    ...{ Domain: "vpc", Address: address },
    "TagSpecification.1.ResourceType": "elastic-ip",
    ...Object.fromEntries(
      tags.flatMap(([key, value], index) => [
        [`TagSpecification.1.Tag.${String(index + 1)}.Key`, key],
        [`TagSpecification.1.Tag.${String(index + 1)}.Value`, value],
      ]),
    ),
  });
}

async function release(address: string): Promise<void> {
  await moto.query("ec2", "ReleaseAddress", {
    AllocationId: await allocationOf(address),
  });
}

async function allocationOf(address: string): Promise<string> {
  return idIn(
    "allocationId",
    await moto.query("ec2", "DescribeAddresses", { "PublicIp.1": address }),
  );
}

/** @returns the id of the launch template that the group is made with */
async function machines(kind: Kind, vpc: string): Promise<string> {
  const template = idIn(
    "launchTemplateId",
    await moto.query("ec2", "CreateLaunchTemplate", {
      LaunchTemplateName: `${kind}-template`,
      ...launch,
    }),
  );
  const target = idIn(
    "TargetGroupArn",
    await moto.query("elasticloadbalancing", "CreateTargetGroup", {
      ...{ Name: `aws-${kind}-targets-443`, Protocol: "TCP", Port: "443" },
      VpcId: vpc,
      ...Object.fromEntries(
        tags.flatMap(([key, value], index) => [
          [`Tags.member.${String(index + 1)}.Key`, key],
          [`Tags.member.${String(index + 1)}.Value`, value],
        ]),
      ),
    }),
  );
  await moto.query("autoscaling", "CreateAutoScalingGroup", {
    ...{ AutoScalingGroupName: kind, MinSize: "2", MaxSize: "6" },
    ...{ DesiredCapacity: "2", VPCZoneIdentifier: subnets.join(",") },
    "LaunchTemplate.LaunchTemplateId": template,
    "LaunchTemplate.Version": "1",
    "TargetGroupARNs.member.1": target,
  });
  return template;
}

const launch = {
  "LaunchTemplateData.ImageId": "ami-12c6146b",
  "LaunchTemplateData.InstanceType": "c7g.medium",
};

/** As AWS counts those of the account. */
async function usedVcpus(count: number): Promise<void> {
  const dimensions = {
    ...{ Class: "Standard/OnDemand", Resource: "vCPU" },
    ...{ Service: "EC2", Type: "Resource" },
  };
  await moto.query("monitoring", "PutMetricData", {
    Namespace: "AWS/Usage",
    "MetricData.member.1.MetricName": "ResourceCount",
    "MetricData.member.1.Value": String(count),
    "MetricData.member.1.Timestamp": new Date().toISOString(),
    ...Object.fromEntries(
      Object.entries(dimensions).flatMap(([name, value], index) => {
        const key = `MetricData.member.1.Dimensions.member.${String(index + 1)}`;
        return [
          [`${key}.Name`, name],
          [`${key}.Value`, value],
        ];
      }),
    ),
  });
}

async function allow(QuotaCode: string, DesiredValue: number): Promise<void> {
  await moto.quotas("RequestServiceQuotaIncrease", {
    ...{ ServiceCode: "ec2", QuotaCode, DesiredValue },
  });
}

function tool(
  name: string,
  env: Readonly<Record<string, string>> = {},
  ...args: string[]
) {
  return script(
    `${name}.ts`,
    [...args, "--stack", "prod", "--cwd", planned.workDir],
    { env: { ...backend(planned.workDir), ...moto.environment, ...env } },
  );
}

async function doctor(
  env: Readonly<Record<string, string>> = {},
): Promise<readonly Row[]> {
  const { stdout, stderr } = await tool("doctor", env, "--json");
  if (stdout === "") throw new Error(stderr);
  return (JSON.parse(stdout) as { rows: Row[] }).rows;
}

async function row(what: string): Promise<Row> {
  const rows = await doctor();
  const found = rows.find((one) => one.what === what);
  if (!found) throw new Error(`no row ${what} in ${JSON.stringify(rows)}`);
  console.log(`${found.state}  ${what}: ${found.found}\n  ${found.fix ?? ""}`);
  return found;
}

/** Those of the machines' groups. */
const ofGroups = ({ what }: Row) =>
  /drift|^subnet|public addresses|^quota/.test(what);

test("a stack in order", async () => {
  const rows = (await doctor()).filter(ofGroups);
  expect(rows.map(({ what, state }) => `${state} ${what}`).toSorted()).toEqual(
    [
      "good edges, drift",
      "good gateways, drift",
      "good gateways, public addresses",
      "good quota, Elastic IPs",
      "good quota, vCPUs on demand",
      ...subnets.map((id) => `good subnet ${id}`),
    ].toSorted(),
  );
});

/** Rights as the page has them, for moto's names of services. */
function rights(): { Action: string | string[]; Resource: unknown }[] {
  const page = readFileSync(join(checkout, "docs/aws-doctor.md"), "utf8");
  const policy = /```json\n(.*?)```/s.exec(page)?.[1] ?? "";
  const { Statement } = JSON.parse(
    policy.replaceAll("cloudwatch:", "monitoring:"),
  ) as { Statement: { Action: string | string[]; Resource: unknown }[] };
  // It knows no resources of secrets.
  return Statement.map((statement) => ({ ...statement, Resource: "*" }));
}

/** Somebody with these rights, as a program's environment has them. */
async function user(
  name: string,
  statements: ReturnType<typeof rights>,
): Promise<Readonly<Record<string, string>>> {
  await moto.query("iam", "CreateUser", { UserName: name });
  await moto.query("iam", "PutUserPolicy", {
    ...{ UserName: name, PolicyName: "doctor" },
    PolicyDocument: JSON.stringify({
      ...{ Version: "2012-10-17", Statement: statements },
    }),
  });
  const made = await moto.query("iam", "CreateAccessKey", { UserName: name });
  return {
    AWS_ACCESS_KEY_ID: idIn("AccessKeyId", made),
    AWS_SECRET_ACCESS_KEY: idIn("SecretAccessKey", made),
  };
}

const denied = ({ found }: Row) => found.includes("not authorized to perform");

test("the page's rights are enough, and each of them is needed", async () => {
  const all = rights();
  const actions = all.flatMap(({ Action }) => Action);
  expect(actions.length).toBeGreaterThan(10);
  const withAll = await user("all", all);
  const without = await Promise.all(
    actions.map((action, index) =>
      user(
        `less-${String(index)}`,
        all
          .map(({ Action, ...statement }) => ({
            ...statement,
            Action: [Action].flat().filter((one) => one !== action),
          }))
          .filter(({ Action }) => Action.length > 0),
      ),
    ),
  );
  const before = (await doctor()).filter(ofGroups);
  await moto.askWhoCalls(true);
  try {
    const whole = await doctor(withAll);
    expect(whole.filter(denied)).toEqual([]);
    expect(whole.filter(ofGroups)).toEqual(before);
    for (const [index, action] of actions.entries()) {
      const rows = (await doctor(without[index])).filter(denied);
      console.log(
        `without ${action}\n  ${rows.map(({ what, found }) => `${what}: ${found}`).join("\n  ")}`,
      );
      expect(rows.length, action).toBeGreaterThan(0);
      for (const { state, found } of rows) {
        expect(state).toBe("bad");
        expect(found).toContain(action);
      }
    }
  } finally {
    await moto.askWhoCalls(false);
  }
});

test("a subnet that fills", async () => {
  // moto starts all machines in the first one.
  const [, subnet = ""] = subnets;
  const what = `subnet ${subnet}`;
  expect((await row(what)).found).toContain(
    "11 addresses of 10.0.0.16/28 free in eu-central-1b",
  );
  const taken: string[] = [];
  const take = async (count: number) => {
    for (let number = 0; number < count; number += 1) {
      const made = await moto.query("ec2", "CreateNetworkInterface", {
        SubnetId: subnet,
      });
      taken.push(idIn("networkInterfaceId", made));
    }
  };
  await take(2);
  expect(await row(what)).toMatchObject({ state: "warning" });
  await take(6);
  expect(await row(what)).toMatchObject({
    state: "bad",
    found: expect.stringMatching(/^3 addresses .* needs 4, /) as string,
  });
  for (const id of taken) {
    await moto.query("ec2", "DeleteNetworkInterface", {
      NetworkInterfaceId: id,
    });
  }
  expect(await row(what)).toMatchObject({ state: "good" });
});

test("public addresses that gateways cannot have", async () => {
  const what = "gateways, public addresses";
  const given: string[] = [];
  const give = async (address: string) => {
    const run = await moto.query("ec2", "RunInstances", {
      ...{ ImageId: "ami-12c6146b", MinCount: "1", MaxCount: "1" },
    });
    await moto.query("ec2", "AssociateAddress", {
      AllocationId: await allocationOf(address),
      InstanceId: idIn("instanceId", run),
    });
    given.push(address);
  };
  const [first = "", ...others] = stack.gateway;
  await give(first);
  expect(await row(what)).toMatchObject({
    state: "warning",
    found: expect.stringContaining(`gateways: ${first} (i-`) as string,
  });
  for (const address of others) await give(address);
  expect(await row(what)).toMatchObject({
    state: "bad",
    found: expect.stringContaining("8 of 8 taken") as string,
  });
  for (const address of given) {
    await moto.query("ec2", "DisassociateAddress", { PublicIp: address });
  }
  await release(first);
  expect(await row(what)).toMatchObject({
    state: "bad",
    found: `changed by hand: ${first} released`,
  });
  await allocate(first);
  expect(await row(what)).toMatchObject({ state: "good" });
});

test("a quota of Elastic IPs that the next up meets", async () => {
  const what = "quota, Elastic IPs";
  // Five by default; moto gives more all the same.
  expect(await row(what)).toMatchObject({
    state: "good",
    found: "10 of 5 used; the stack has 10 of its 10",
  });
  const [address = ""] = stack.edge;
  await release(address);
  const { state, fix = "" } = await row(what);
  expect(state).toBe("bad");
  const asked = /--quota-code (\S+) --desired-value (\d+)/.exec(fix) ?? [];
  await allow(asked[1] ?? "", Number(asked[2]));
  expect(await row(what)).toMatchObject({
    state: "good",
    found: "9 of 10 used; the stack has 9 of its 10",
  });
  await allocate(address);
});

test("a quota of vCPUs that new machines meet", async () => {
  const what = "quota, vCPUs on demand";
  await allow(quota.onDemand, 5);
  const { state, found, fix = "" } = await row(what);
  expect(state).toBe("bad");
  expect(found).toMatch(/^4 of 5 used; .* needs 3, /);
  await allow(quota.onDemand, 7);
  expect(await row(what)).toMatchObject({ state: "warning" });
  // What the row says to ask for is enough.
  await allow(quota.onDemand, Number(/--desired-value (\d+)/.exec(fix)?.[1]));
  expect(await row(what)).toMatchObject({ state: "good" });
});

test("machines of an old launch template", async () => {
  const what = "edges, drift";
  const group = { AutoScalingGroupName: "edge" };
  await moto.query("ec2", "CreateLaunchTemplateVersion", {
    LaunchTemplateId: templates.edge,
    ...launch,
  });
  expect(await row(what)).toMatchObject({
    state: "bad",
    found: `changed by hand, or not deployed yet: new machines get version 1 of ${templates.edge}, whose newest is 2`,
  });
  await moto.query("autoscaling", "UpdateAutoScalingGroup", {
    ...group,
    "LaunchTemplate.LaunchTemplateId": templates.edge,
    "LaunchTemplate.Version": "2",
  });
  expect(await row(what)).toMatchObject({
    state: "bad",
    found: expect.stringMatching(
      /^not on version 2 of lt-\w+: i-\w+ \(version 1\), i-\w+ \(version 1\); last instance refresh: none$/,
    ) as string,
  });
  await moto.query("autoscaling", "StartInstanceRefresh", group);
  expect(await row(what)).toMatchObject({
    state: "good",
    found: expect.stringMatching(/; being replaced, 0 %$/) as string,
  });
  await moto.query("autoscaling", "CancelInstanceRefresh", group);
  expect(await row(what)).toMatchObject({
    state: "bad",
    found: expect.stringMatching(
      /; last instance refresh: Cancelled$/,
    ) as string,
  });
  // As the refresh would have done, had it gone on.
  for (const DesiredCapacity of ["0", "2"]) {
    await moto.query("autoscaling", "UpdateAutoScalingGroup", {
      ...{ ...group, MinSize: "0", DesiredCapacity },
    });
  }
  expect(await row(what)).toMatchObject({
    state: "bad",
    found: "changed by hand, or not deployed yet: minimum 0 instead of 2",
  });
  await moto.query("autoscaling", "UpdateAutoScalingGroup", {
    ...{ ...group, MinSize: "2" },
  });
  expect(await row(what)).toMatchObject({ state: "good" });
});

test("processes that somebody suspended", async () => {
  const what = "gateways, drift";
  const processes = {
    AutoScalingGroupName: "gateway",
    "ScalingProcesses.member.1": "Launch",
  };
  await moto.query("autoscaling", "SuspendProcesses", processes);
  expect(await row(what)).toMatchObject({
    state: "bad",
    found: expect.stringContaining("suspended: Launch (aws ") as string,
  });
  await moto.query("autoscaling", "ResumeProcesses", processes);
  expect(await row(what)).toMatchObject({ state: "good" });
});
