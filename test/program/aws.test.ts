/** What production is made of, and what a change of it touches. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { readOutputs } from "../../client/index.ts";
import { type Resource, nameOf } from "../../scripts/toolchain/engine-state.ts";
import type { Stack } from "../../scripts/toolchain/stack.ts";
import { refusedTexts } from "./aws-texts.ts";
import { type Production, production } from "./production.ts";
import { wallsOf } from "./walls.ts";

let prod: Production;
let stack: Stack;

beforeAll(async () => {
  prod = await production();
  stack = await prod.open();
  const started = performance.now();
  const { changes } = await stack.preview();
  console.log(
    `preview: ${((performance.now() - started) / 1000).toFixed(1)} s`,
  );
  // A preview plans, and does nothing.
  expect(changes).toEqual({ create: expect.any(Number) as unknown });
  expect(prod.cloudflare.records.list()).toEqual([]);
  await stack.up();
});
afterEach(() => {
  prod.configure({});
});
afterAll(async () => {
  await stack[Symbol.asyncDispose]();
  prod.remove();
});

test("its resources, their parents and what guards them, as a person has read them", async () => {
  const { text, resources } = prod.state();
  expect(text).not.toContain(prod.cloudflare.token);
  await expect(tree(resources)).toMatchFileSnapshot("aws-resources.txt");
});

test("its names in the account have the stack's, and are no longer than AWS takes", () => {
  const { resources } = prod.state();
  const physical = (name: string, property: string) =>
    resources.find((it) => nameOf(it) === name && property in it.inputs)
      ?.inputs[property];
  expect(physical("aws-bundles-bucket", "bucket")).toMatch(
    /^aws-bundles-bucket-prod-[0-9a-f]{7}$/,
  );
  expect(physical("aws-edge-machines-role", "name")).toMatch(
    /^aws-edge-machines-role-prod-[0-9a-f]{7}$/,
  );
  // The stand-in refuses longer ones than these.
  expect(physical("aws-gateway-targets-443", "name")).toMatch(
    /^aws-gateway-targets-443-[0-9a-f]{7}$/,
  );
});

test("its names and descriptions have no character that AWS refuses", () => {
  expect(refusedTexts(prod.state().resources)).toEqual([]);
});

test("what its machines may reach, look up, read and do, as a person has read it", async () => {
  await expect(wallsOf(prod.state().resources)).toMatchFileSnapshot(
    "aws-walls.txt",
  );
});

test("its outputs are what LumiLink reads", async () => {
  const outputs = readOutputs(await stack.outputs({ showSecrets: true }));
  expect(outputs).toMatchObject({
    domain: "sandbox.daytona.defikit.net",
    access: { mode: "daytona" },
    egress: {
      rules: [
        "https://openrouter.ai/api/v1/*",
        "https://api.anthropic.com/*",
        "https://api.github.com/*",
      ],
    },
  });
});

test("its gateways' public addresses are known, and are as many as there can be gateways", async () => {
  const { gateway } = readOutputs(await stack.outputs({ showSecrets: true }));
  expect(new Set(gateway?.publicAddresses).size).toBe(6 + 2);
  const made = prod
    .state()
    .resources.filter((it) => nameOf(it).startsWith("aws-gateway-address-"))
    .map(({ outputs }) => outputs?.publicIp);
  expect([...(gateway?.publicAddresses ?? [])].sort()).toEqual(made.sort());
});

test("a region that AWS does not have is refused", async () => {
  prod.configure({ "daytona-edge:aws": { region: "eu-central-9" } });
  const failure = await stack
    .preview()
    .catch((error: unknown) => String(error));
  expect(failure).toContain(
    'daytona-edge:aws.region  "eu-central-9" is none of AWS\'s regions; set it to one of ',
  );
});

test("AWS does not take a group to the template that it already has", () => {
  const groups = inputsOf("aws:autoscaling/group:Group");
  expect(groups).toHaveLength(2);
  for (const { instanceRefresh } of groups) {
    const { preferences } = instanceRefresh as { preferences: object };
    expect(preferences).toMatchObject({ minHealthyPercentage: 100 });
    expect(preferences).not.toHaveProperty("autoRollback");
  }
});

test("after a destroy the names of its secrets are free", () => {
  const windows = inputsOf("aws:secretsmanager/secret:Secret").map(
    ({ name, recoveryWindowInDays }) => [name, recoveryWindowInDays],
  );
  expect(windows.length).toBeGreaterThan(3);
  expect(windows).toEqual(windows.map(([name]) => [name, 0]));
});

test("what must outlive a mistake is not destroyed", async () => {
  const failure = await stack
    .previewDestroy()
    .catch((error: unknown) => String(error));
  expect(failure).toContain("because it is protected");
  expect(prod.state().resources.length).toBeGreaterThan(100);
});

function inputsOf(type: string): Resource["inputs"][] {
  return prod
    .state()
    .resources.filter((it) => it.type === type)
    .map(({ inputs }) => inputs);
}

/** Lines of names, each below its parent. */
function tree(resources: readonly Resource[]): string {
  const below = (parent: string | undefined, indent: string): string[] =>
    resources
      .filter((it) => it.parent === parent && !it.type.includes("providers:"))
      .sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
      .flatMap((it) => {
        const guards = [
          ...(it.protect ? ["protected"] : []),
          ...(it.retainOnDelete ? ["retained"] : []),
        ];
        const guarded = guards.length > 0 ? ` (${guards.join(", ")})` : "";
        return [
          `${indent}${nameOf(it)}: ${it.type}${guarded}`,
          ...below(it.urn, `${indent}  `),
        ];
      });
  return `${below(undefined, "").join("\n")}\n`;
}

const sessionManager = {
  package:
    "https://s3.eu-central-1.amazonaws.com/amazon-ssm-eu-central-1/3.3.2299.0/debian_arm64/amazon-ssm-agent.deb",
  sha256: "0".repeat(64),
};

describe("a change touches what it must, and nothing else", () => {
  const aws = { region: "eu-central-1" };
  const allow = [
    "https://openrouter.ai/api/v1/*",
    "https://api.anthropic.com/*",
    "https://api.github.com/*",
  ];
  test.each<[string, Record<string, unknown>, Record<string, string>]>([
    [
      "a rule more for a host that is listed",
      { egress: { allow: [...allow, "https://openrouter.ai/api/beta"] } },
      { "aws-gateway-rules-content": "replace" },
    ],
    [
      "another host",
      { egress: { allow: [...allow, "https://example.org/*"] } },
      {
        "aws-gateway-rules-content": "replace",
        "aws-sandboxes-names-example.org": "create",
        "aws-sandboxes-names-example.org-a": "create",
        "aws-sandboxes-names-listed": "update",
      },
    ],
    [
      "another host that is inspected",
      { egress: { allow: [...allow, "https://example.org/open/*"] } },
      {
        "aws-gateway-authority-made": "replace",
        "aws-gateway-authority-make-schedule": "update",
        "aws-gateway-rules-content": "replace",
        "aws-sandboxes-names-example.org": "create",
        "aws-sandboxes-names-example.org-a": "create",
        "aws-sandboxes-names-listed": "update",
      },
    ],
    [
      "more edges",
      { aws: { ...aws, edge: { maximum: 12 } } },
      { "aws-edge-machines-group": "update" },
    ],
    [
      "some machines on spot capacity",
      {
        aws: {
          ...aws,
          edge: { mixed: { instanceTypes: ["c6g.medium"] } },
          gateway: { mixed: { instanceTypes: ["c6g.medium"] } },
        },
      },
      {
        "aws-edge-machines-group": "update",
        "aws-gateway-machines-group": "update",
      },
    ],
    [
      "another limit: other edges, one after the other",
      { limits: { headSeconds: 7 } },
      {
        "aws-edge-machines-bundle": "replace",
        "aws-edge-machines-template": "update",
        "aws-edge-machines-group": "update",
      },
    ],
    [
      "somebody else is woken",
      { aws: { ...aws, alarmEmails: ["ops@defikit.net"] } },
      { "aws-alarms-email-0": "create" },
    ],
    [
      "rows are kept longer",
      { aws: { ...aws, logs: { retentionDays: 365 } } },
      {
        "aws-edge-logs-group": "update",
        "aws-gateway-logs-group": "update",
      },
    ],
    [
      "Daytona's proxy moves",
      { upstream: { mode: "daytona", url: "http://10.81.0.11:4000" } },
      {
        "aws-edge-machines-bundle": "replace",
        "aws-edge-machines-template": "update",
        "aws-edge-machines-group": "update",
        "aws-edge-machines-to-daytona": "update",
      },
    ],
    [
      "another gateway at most: one address more, which all gateways know",
      { aws: { ...aws, gateway: { maximum: 7 } } },
      {
        "aws-gateway-address-8": "create",
        "aws-gateway-machines-group": "update",
        "aws-gateway-machines-policy": "update",
        "aws-gateway-machines-template": "update",
      },
    ],
    [
      "sessions on machines",
      { aws: { ...aws, sessionManager } },
      Object.fromEntries(
        ["edge", "gateway"].flatMap((kind) =>
          ["group", "policy", "template"].map((what) => [
            `aws-${kind}-machines-${what}`,
            "update",
          ]),
        ),
      ),
    ],
    ["nothing", {}, {}],
  ])("%s", async (_, change, touched) => {
    prod.configure(
      Object.fromEntries(
        Object.entries(change).map(([key, value]) => [
          `daytona-edge:${key}`,
          value,
        ]),
      ),
    );
    expect((await stack.preview()).touched).toEqual(touched);
  });
});

test("without what only LumiLink knows: the lines to type, all at once", async () => {
  prod.configure({
    "daytona-edge:cloudflare": undefined,
    "daytona-edge:upstream": undefined,
  });
  const failure = await stack.preview().then(
    () => "",
    (error: unknown) => String(error),
  );
  const report = failure.split("\n").map((line) => line.trim());
  const start = report.indexOf("error: Pulumi.prod.yaml: 2 problems");
  expect(report.slice(start + 1, start + 7)).toEqual([
    "daytona-edge:cloudflare  missing; set zoneId, the id of the Cloudflare zone that holds the domain",
    "daytona-edge:upstream    missing; set mode: daytona and the url of Daytona's proxy, for example http://10.0.0.5:4000",
    "To set what is missing, type:",
    "pulumi config set --path daytona-edge:cloudflare.zoneId <32 hexadecimal digits>",
    "pulumi config set --path daytona-edge:upstream.mode daytona",
    "pulumi config set --path daytona-edge:upstream.url http://<address of Daytona's proxy>:4000",
  ]);
});

test("an address that others list is not given up by a smaller maximum", async () => {
  prod.configure({
    "daytona-edge:aws": { region: "eu-central-1", gateway: { maximum: 5 } },
  });
  const failure = await stack.preview().then(
    () => "",
    (error: unknown) => String(error),
  );
  expect(failure).toMatch(/aws-gateway-address-7.*protect/s);
});

test("with sessions, machines may do what those take, and no more than that", async () => {
  const before = wallsOf(prod.state().resources);
  prod.configure({
    "daytona-edge:aws": { region: "eu-central-1", sessionManager },
  });
  await stack.up();
  const added = wallsOf(prod.state().resources)
    .split("\n")
    .filter((line) => !before.split("\n").includes(line));
  const sessions =
    '  may {"Sid":"Sessions","Effect":"Allow","Action":["ssm:UpdateInstanceInformation","ssmmessages:CreateControlChannel","ssmmessages:CreateDataChannel","ssmmessages:OpenControlChannel","ssmmessages:OpenDataChannel"],"Resource":["*"]}';
  expect(added).toEqual([sessions, sessions]);
});
