/** The certificate on AWS under the real engine; its stand-in for AWS makes nothing. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { StackConfig } from "../../infra/config/parse.ts";
import { Certificate } from "../../infra/platforms/aws/certificate.ts";
import { openStack } from "../../scripts/toolchain/stack.ts";
import { type CloudflareServer, startCloudflare } from "./cloudflare-server.ts";
import {
  type Resource,
  engineState,
  nameOf,
} from "../../scripts/toolchain/engine-state.ts";

const alarmTopic = "arn:aws:sns:eu-central-1:123456789012:alarms";
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
        alarmTopic,
      });
      return Promise.resolve({ issued });
    },
  });
}

const state = () => engineState(workDir, "t");

/** The one of that name; each has another. */
function resource(name: string): Resource {
  const found = state().resources.find((one) => nameOf(one) === name);
  if (!found) throw new Error(`no ${name}`);
  return found;
}

const arnOf = (name: string) => resource(name).outputs?.arn;

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
    expect(value).toMatch(
      /^example\.org; validationmethods=dns-01; accounturi=https:\/\/acme\.invalid\/account\/[^; ]+$/,
    );
  }
});

test("the account comes before CAA, CAA before the order, that before the schedule", async () => {
  await using stack = await open(() => ({
    challenge: { zoneId: config.zoneId, name: "acme.example.net" },
  }));
  await stack.up();
  for (const [after, before] of [
    ["certificate-account", "certificate-credentials-value"],
    ["certificate-caa-issue", "certificate-account"],
    ["certificate-caa-issuewild", "certificate-account"],
    ["certificate-issue", "certificate-caa-issue"],
    ["certificate-issue", "certificate-caa-issuewild"],
    ["certificate-issue", "certificate-challenge"],
    ["certificate-renew-schedule", "certificate-issue"],
  ] as const) {
    expect(resource(after).dependencies, after).toContain(resource(before).urn);
  }
  expect(
    cloudflare.records.list().filter(({ type }) => type === "CNAME"),
  ).toMatchObject([
    {
      name: "_acme-challenge.sandbox.example.net",
      content: "acme.example.net",
      proxied: false,
    },
  ]);
});

test("each role may do what it does, to what it does it to", async () => {
  await using stack = await open();
  await stack.up();
  const secret = (document: string) =>
    `arn:aws:secretsmanager:eu-central-1:123456789012:secret:daytona-edge/t/${document}-??????`;
  for (const [role, policy, trust, allowed] of [
    [
      "certificate-renew-role",
      "certificate-renew-policy",
      {
        Sid: "AllowAssumeRole",
        Effect: "Allow",
        Action: "sts:AssumeRole",
        Principal: { Service: "lambda.amazonaws.com" },
      },
      [
        [
          [
            "secretsmanager:CreateSecret",
            "secretsmanager:GetSecretValue",
            "secretsmanager:PutSecretValue",
            "secretsmanager:RestoreSecret",
          ],
          [
            secret("acme-account.json"),
            secret("acme-order.json"),
            secret("certificate-report.json"),
            secret("certificate.json"),
          ],
        ],
        [["secretsmanager:GetSecretValue"], [arnOf("certificate-credentials")]],
        [["sqs:SendMessage"], [arnOf("certificate-renew-dead-letters")]],
        [
          ["logs:CreateLogStream", "logs:PutLogEvents"],
          [`${String(arnOf("certificate-renew-log"))}:*`],
        ],
      ],
    ],
    [
      "certificate-renew-schedule-role",
      "certificate-renew-schedule-policy",
      {
        Effect: "Allow",
        Action: ["sts:AssumeRole"],
        Principal: { Service: ["scheduler.amazonaws.com"] },
        // For no other account's schedules.
        Condition: {
          StringEquals: { "aws:SourceAccount": ["123456789012"] },
          ArnLike: {
            "aws:SourceArn": [
              "arn:aws:scheduler:eu-central-1:123456789012:schedule-group/default",
            ],
          },
        },
      },
      [
        [["lambda:InvokeFunction"], [arnOf("certificate-renew-function")]],
        [["sqs:SendMessage"], [arnOf("certificate-renew-dead-letters")]],
      ],
    ],
  ] as const) {
    const { assumeRolePolicy, ...more } = resource(role).inputs;
    expect(statements(assumeRolePolicy)).toEqual([trust]);
    // No policy of somebody else's.
    expect(Object.keys(more)).toEqual(["name"]);
    expect(resource(policy).dependencies).toContain(resource(role).urn);
    expect(
      statements(resource(policy).inputs.policy).map(
        ({ Effect, Action, Resource }) => [Effect, Action, Resource],
      ),
    ).toEqual(allowed.map((rule) => ["Allow", ...rule]));
  }
});

/** Of a policy, which the engine has as text or as what it means. */
function statements(policy: unknown) {
  const meant: unknown =
    typeof policy === "string" ? JSON.parse(policy) : policy;
  return (meant as { Statement: Readonly<Record<string, unknown>>[] })
    .Statement;
}

test("the function is alone, in no network, and its letters are kept", async () => {
  await using stack = await open();
  await stack.up();
  const [renew] = inputsOf("aws:lambda/function:Function");
  expect(renew).toMatchObject({
    runtime: "nodejs24.x",
    reservedConcurrentExecutions: 1,
    role: arnOf("certificate-renew-role"),
    deadLetterConfig: { targetArn: arnOf("certificate-renew-dead-letters") },
  });
  expect(renew).not.toHaveProperty("vpcConfig");
  expect(JSON.stringify(renew?.environment)).not.toContain("TOKEN");
  expect(resource("certificate-renew-schedule").inputs.target).toMatchObject({
    arn: arnOf("certificate-renew-function"),
    roleArn: arnOf("certificate-renew-schedule-role"),
    deadLetterConfig: { arn: arnOf("certificate-renew-dead-letters") },
  });
  expect(resource("certificate-renew-dead-letters").inputs).toMatchObject({
    messageRetentionSeconds: 14 * 24 * 60 * 60,
    sqsManagedSseEnabled: true,
  });
  const alarms = inputsOf("aws:cloudwatch/metricAlarm:MetricAlarm");
  expect(
    alarms
      .map(({ metricName, threshold, treatMissingData, alarmActions }) => [
        ...[metricName, threshold, treatMissingData, alarmActions],
      ])
      .sort(),
  ).toEqual([
    ["CertificateDaysLeft", 10, "breaching", [alarmTopic]],
    ["CertificateRunSucceeded", 1, "breaching", [alarmTopic]],
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
