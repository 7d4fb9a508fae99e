/** The certificate on AWS under the real engine; its stand-in for AWS makes nothing. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { StackConfig } from "../../infra/config.ts";
import { Certificate } from "../../infra/platforms/aws/certificate.ts";
import { openStack } from "../../scripts/toolchain/stack.ts";
import { type CloudflareServer, startCloudflare } from "./cloudflare-server.ts";
import { engineState } from "../../scripts/toolchain/engine-state.ts";

const config: Pick<StackConfig, "domain" | "zoneId" | "certificate"> = {
  domain: "sandbox.example.net",
  zoneId: "0".repeat(32),
  certificate: {
    directory: "https://acme.example.org/directory",
    caaIdentity: "example.org",
    profile: "tlsserver",
    keyType: "ecdsa-p256",
  },
};

let workDir: string;
let cloudflare: CloudflareServer;

beforeEach(async () => {
  workDir = mkdtempSync(join(tmpdir(), "daytona-edge-aws-"));
  writeFileSync(
    join(workDir, "Pulumi.yaml"),
    "name: daytona-edge\nruntime: nodejs\n",
  );
  cloudflare = await startCloudflare("example.net", workDir);
});
afterEach(() => {
  cloudflare.stop();
  rmSync(workDir, { recursive: true });
});

/** The component alone, with what differs. */
function open(change: () => Partial<StackConfig["certificate"]> = () => ({})) {
  return openStack({
    stackName: "t",
    workDir,
    providers: ["aws", "cloudflare"],
    program: () => {
      const { issued } = new Certificate("certificate", {
        config: {
          ...config,
          certificate: { ...config.certificate, ...change() },
        },
        cloudflareUrl: undefined,
        credentials: { CLOUDFLARE_API_TOKEN: cloudflare.token },
        secrets: "daytona-edge/t/",
        alarmTopic: "arn:aws:sns:eu-central-1:123456789012:alarms",
      });
      return Promise.resolve({ issued });
    },
  });
}

const state = () => engineState(workDir, "t");

function inputsOf(type: string): Readonly<Record<string, unknown>>[] {
  return state()
    .resources.filter(({ urn }) => urn.split("::")[2]?.endsWith(type))
    .map(({ inputs }) => inputs);
}

test("a preview plans every part, and does nothing", async () => {
  await using stack = await open();
  const { changes } = await stack.preview();
  // The stack, 4 components, 2 records of CAA, 14 of AWS.
  expect(changes).toEqual({ create: 21 });
  expect(cloudflare.records.list()).toEqual([]);
  expect(readdirSync(workDir)).not.toContain("records.json");
});

test("once up, nothing changes, and the state shows no secret", async () => {
  await using stack = await open();
  await stack.up();
  expect((await stack.up()).changed).toBe(false);
  expect(state().text).not.toContain(cloudflare.token);
  // The account that the function answered with is the one that CAA names.
  const authorizations = cloudflare.records
    .list()
    .map(({ data }) => data as { tag: string; value: string });
  expect(authorizations.map(({ tag }) => tag).sort()).toEqual([
    "issue",
    "issuewild",
  ]);
  for (const { value } of authorizations) {
    expect(value).toContain("accounturi=https://acme.invalid/account/");
  }
});

test("each role may do what it does, to what it does it to", async () => {
  await using stack = await open();
  await stack.up();
  const statements = inputsOf("aws:iam/rolePolicy:RolePolicy")
    .map(({ policy }) => JSON.parse(String(policy)) as { Statement: object[] })
    .flatMap(({ Statement }) => Statement) as {
    Action: string[];
    Resource: string[];
  }[];
  expect(statements.flatMap(({ Action }) => Action).sort()).toEqual([
    "lambda:InvokeFunction",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "secretsmanager:CreateSecret",
    "secretsmanager:GetSecretValue",
    "secretsmanager:GetSecretValue",
    "secretsmanager:PutSecretValue",
    "secretsmanager:RestoreSecret",
    "sqs:SendMessage",
    "sqs:SendMessage",
  ]);
  for (const { Resource } of statements) {
    for (const resource of Resource) {
      expect(resource).toMatch(/^arn:aws:[a-z]+:eu-central-1:123456789012:.+/);
      // Only a log's streams, and the end that Secrets Manager gives a name.
      expect(resource.replace(/:\*$|-\?{6}$/, "")).not.toMatch(/[*?]/);
    }
  }
});

test("the function is alone, in no network, and its letters are kept", async () => {
  await using stack = await open();
  await stack.up();
  const [renew] = inputsOf("aws:lambda/function:Function");
  expect(renew).toMatchObject({
    runtime: "nodejs24.x",
    reservedConcurrentExecutions: 1,
    deadLetterConfig: {
      targetArn: expect.stringContaining(":sqs:") as unknown,
    },
  });
  expect(renew).not.toHaveProperty("vpcConfig");
  expect(JSON.stringify(renew?.environment)).not.toContain("TOKEN");
  const alarms = inputsOf("aws:cloudwatch/metricAlarm:MetricAlarm");
  expect(
    alarms
      .map(({ metricName, threshold, treatMissingData }) => [
        ...[metricName, threshold, treatMissingData],
      ])
      .sort(),
  ).toEqual([
    ["CertificateDaysLeft", 10, "breaching"],
    ["CertificateRunSucceeded", 1, "breaching"],
  ]);
});

test("another profile calls the function again, and touches nothing else", async () => {
  let profile = "tlsserver";
  await using stack = await open(() => ({ profile }));
  await stack.up();
  profile = "shortlived";
  const { changes } = await stack.preview();
  // The function, the alarm that knows a short life; the two calls, anew, and
  // CAA, should the account be another.
  expect(changes).toEqual({ update: 4, replace: 2, same: 15 });
});
