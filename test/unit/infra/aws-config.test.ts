/** Every refusal of a configuration for AWS, with its exact words. */
import { expect, test } from "vitest";
import { parseConfig } from "../../../infra/config/parse.ts";
import { architectureOf } from "../../../infra/platforms/aws/instance-types.ts";

const hostKey = `ssh-ed25519 ${"A".repeat(68)}`;
const good = {
  domain: "sandbox.daytona.example.net",
  platform: "aws",
  aws: { region: "eu-central-1" },
  cloudflare: { zoneId: "3f1d7cfa3c1c4e6fb0c0a1b1f1d2e3a4" },
  upstream: { mode: "daytona", url: "http://10.81.0.10:4000" },
  egress: { allow: ["https://api.github.com/*"] },
};

test("a region is enough", () => {
  const { config, problems, warnings } = parseConfig(good);
  expect(problems).toEqual([]);
  expect(warnings).toEqual([]);
  expect(config?.aws).toEqual({
    region: "eu-central-1",
    zones: 2,
    architecture: "arm64",
    services: { cidr: "10.80.0.0/16" },
    sandboxes: { cidr: "10.81.0.0/16", controlPlane: [], names: [] },
    edge: { instanceType: "c7g.medium", minimum: 2, maximum: 6 },
    gateway: {
      instanceType: "c7g.medium",
      minimum: 2,
      maximum: 6,
      rootServers: [],
    },
    logs: { retentionDays: 30 },
    alarmEmails: [],
  });
});

test("a stack may have the road in only", () => {
  expect(parseConfig({ ...good, egress: undefined }).problems).toEqual([]);
});

const adopt = (vpc: string, ...subnets: string[]) => ({
  vpcId: `vpc-${vpc.repeat(8)}`,
  subnetIds: subnets.map((subnet) => `subnet-${subnet.repeat(8)}`),
});

test("a network is adopted by its ids, and then has no cidr", () => {
  const { config, problems } = parseConfig({
    ...good,
    aws: {
      region: "eu-central-1",
      services: { adopt: adopt("a", "1", "2") },
      sandboxes: { adopt: adopt("b", "3", "4") },
    },
  });
  expect(problems).toEqual([]);
  expect(config?.aws?.services).toEqual({ adopt: adopt("a", "1", "2") });
  expect(config?.aws?.sandboxes.cidr).toBeUndefined();
});

test.each([
  ["c7g.medium", "arm64"],
  ["x2gd.large", "arm64"],
  ["im4gn.xlarge", "arm64"],
  ["a1.medium", "arm64"],
  ["c7i.large", "amd64"],
  ["g5.xlarge", "amd64"],
  ["t3a.small", "amd64"],
])("%s is of %s", (type, architecture) => {
  expect(architectureOf(type)).toBe(architecture);
});

const aws = (change: object) => ({ aws: { ...good.aws, ...change } });
const agent =
  "https://s3.eu-central-1.amazonaws.com/amazon-ssm-eu-central-1/3.3.2299.0/debian_arm64/amazon-ssm-agent.deb";
const sha256 = "0".repeat(64);
const gateway = {
  sandboxes: { interfaces: ["docker0"], networks: ["172.17.0.0/16"] },
};

test.each<[Record<string, unknown>, string, string]>([
  [{ aws: undefined }, "aws", "missing; set region, for example eu-central-1"],
  [{ aws: {} }, "aws.region", "missing; set it, for example eu-central-1"],
  [
    aws({ region: "Frankfurt" }),
    "aws.region",
    '"Frankfurt" is not a region; write one such as eu-central-1',
  ],
  [
    aws({ zone: 2 }),
    "aws.zone",
    "nothing reads this key; remove it or correct its spelling",
  ],
  [aws({ zones: 1 }), "aws.zones", "1 is too small; write 2 or more"],
  [
    aws({ services: { cidr: "10.80.0.1/16" } }),
    "aws.services.cidr",
    '"10.80.0.1/16" is not a network for a VPC; write one of /16 to /20, for example 10.80.0.0/16',
  ],
  [
    aws({ services: { cidr: "10.80.0.0/24" } }),
    "aws.services.cidr",
    '"10.80.0.0/24" is not a network for a VPC; write one of /16 to /20, for example 10.80.0.0/16',
  ],
  [
    aws({ sandboxes: { cidr: "10.80.16.0/20" } }),
    "aws.sandboxes.cidr",
    "10.80.16.0/20 and aws.services.cidr, 10.80.0.0/16, share addresses; networks that are peered cannot",
  ],
  [
    aws({
      services: { cidr: "10.80.0.0/16", adopt: adopt("a", "1", "2") },
    }),
    "aws.services.adopt",
    'there beside cidr "10.80.0.0/16": a network is made by the stack or adopted; remove one of them',
  ],
  [
    aws({
      sandboxes: { cidr: "10.81.0.0/16", adopt: adopt("a", "1", "2") },
    }),
    "aws.sandboxes.adopt",
    'there beside cidr "10.81.0.0/16": a network is made by the stack or adopted; remove one of them',
  ],
  [
    aws({ services: { adopt: { subnetIds: adopt("a", "1", "2").subnetIds } } }),
    "aws.services.adopt.vpcId",
    "missing; set the VPC of edges and gateways",
  ],
  [
    aws({ sandboxes: { adopt: { vpcId: "vpc-aaaaaaaa" } } }),
    "aws.sandboxes.adopt.subnetIds",
    "missing; set the runners' subnets, one in each of aws.zones zones",
  ],
  [
    aws({
      services: {
        adopt: { ...adopt("a", "1", "2"), vpcId: "subnet-11111111" },
      },
    }),
    "aws.services.adopt.vpcId",
    '"subnet-11111111" is not the id of a VPC; write one such as vpc-0a1b2c3d4e5f60718',
  ],
  [
    aws({
      sandboxes: {
        adopt: {
          ...adopt("a"),
          subnetIds: ["subnet-11111111", "10.81.0.0/24"],
        },
      },
    }),
    "aws.sandboxes.adopt.subnetIds[1]",
    '"10.81.0.0/24" is not the id of a subnet; write one such as subnet-0a1b2c3d4e5f60718',
  ],
  [
    aws({ services: { adopt: adopt("a", "1", "2", "3") } }),
    "aws.services.adopt.subnetIds",
    "3 for 2 zones; write one subnet a zone, or set aws.zones, which is 2 or 3",
  ],
  [
    aws({ zones: 3, sandboxes: { adopt: adopt("a", "1", "2") } }),
    "aws.sandboxes.adopt.subnetIds",
    "2 for 3 zones; write one subnet a zone, or set aws.zones, which is 2 or 3",
  ],
  [
    aws({ services: { adopt: adopt("a", "1", "1") } }),
    "aws.services.adopt.subnetIds",
    "a subnet is there twice; write one subnet a zone",
  ],
  [
    aws({
      services: { adopt: adopt("a", "1", "2") },
      sandboxes: { adopt: adopt("a", "3", "4") },
    }),
    "aws.sandboxes.adopt.vpcId",
    '"vpc-aaaaaaaa" is aws.services.adopt.vpcId, too; private zones and DNS Firewall are a whole VPC\'s, so that gateways in it would resolve themselves: write another VPC',
  ],
  [
    aws({ sandboxes: { controlPlane: [{ cidr: "0.0.0.0/0", port: 443 }] } }),
    "aws.sandboxes.controlPlane[0].cidr",
    '"0.0.0.0/0" is no private network; runners reach no other, write one such as 10.81.0.10/32',
  ],
  [
    aws({ sandboxes: { names: ["*"] } }),
    "aws.sandboxes.names[0]",
    '"*" is not a host name; write one such as daytona.example.net, or *.example.net for those below',
  ],
  [
    aws({ permissionsBoundary: "boundary" }),
    "aws.permissionsBoundary",
    '"boundary" is not the ARN of a policy; write one such as arn:aws:iam::123456789012:policy/boundary',
  ],
  [
    aws({ edge: { instanceType: "c7g" } }),
    "aws.edge.instanceType",
    '"c7g" is not an instance type; write one such as c7g.medium',
  ],
  [
    aws({ architecture: "amd64", gateway: { instanceType: "c7i.large" } }),
    "aws.edge.instanceType",
    '"c7g.medium" is of arm64, and aws.architecture is amd64; write types of one architecture',
  ],
  [
    aws({ edge: { mixed: { instanceTypes: ["m7g.medium", "m7i.large"] } } }),
    "aws.edge.mixed.instanceTypes[1]",
    '"m7i.large" is of amd64, and aws.architecture is arm64; write types of one architecture',
  ],
  [
    aws({ gateway: { mixed: {} } }),
    "aws.gateway.mixed.instanceTypes",
    "missing; set types beside instanceType, for example [c6g.medium, m7g.medium]",
  ],
  [
    aws({ edge: { mixed: { instanceTypes: [] } } }),
    "aws.edge.mixed.instanceTypes",
    "spot capacity of one type is often missing; write more types of the same architecture, for example [c6g.medium, m7g.medium]",
  ],
  [
    aws({
      edge: { mixed: { instanceTypes: ["m7g.medium"], spotPercentage: 0 } },
    }),
    "aws.edge.mixed.spotPercentage",
    "0 is too small; write 1 or more",
  ],
  [
    aws({
      gateway: {
        maximum: 4,
        mixed: { instanceTypes: ["m7g.medium"], onDemandBase: 5 },
      },
    }),
    "aws.gateway.mixed.onDemandBase",
    "5 is above maximum, 4, so that none would be on spot capacity; make it less, or remove mixed",
  ],
  [
    aws({ edge: { minimum: 4, maximum: 3 } }),
    "aws.edge.maximum",
    "maximum is below minimum; make it at least as many",
  ],
  ...[0, 2, 45, 9999, "30"].map(
    (retentionDays): [Record<string, unknown>, string, string] => [
      aws({ logs: { retentionDays } }),
      "aws.logs.retentionDays",
      `${JSON.stringify(retentionDays)} is no retention of CloudWatch's; write one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653`,
    ],
  ),
  [
    aws({ sessionManager: { package: "http://example.net/a.deb", sha256 } }),
    "aws.sessionManager.package",
    `"http://example.net/a.deb" is not the HTTPS address of a Debian package; write one such as ${agent}`,
  ],
  [
    aws({ sessionManager: { package: `${agent};reboot.deb`, sha256 } }),
    "aws.sessionManager.package",
    `"${agent};reboot.deb" is not the HTTPS address of a Debian package; write one such as ${agent}`,
  ],
  [
    aws({ sessionManager: { package: agent, sha256: "A0" } }),
    "aws.sessionManager.sha256",
    '"A0" is not a SHA-256; write the 64 hexadecimal digits that sha256sum prints of the package',
  ],
  [
    aws({ sessionManager: { package: agent } }),
    "aws.sessionManager.sha256",
    "missing; set what sha256sum prints of the package; another one is not installed",
  ],
  [
    aws({ sessionManager: { sha256 } }),
    "aws.sessionManager.package",
    "missing; set the HTTPS address of the agent's Debian package",
  ],
  [
    { gateway },
    "gateway",
    "nothing reads it on platform aws, which makes gateways of its own; remove it",
  ],
  [
    {
      egress: {
        allow: [],
        learn: { until: new Date(Date.now() + 3_600_000).toISOString() },
      },
    },
    "egress.learn",
    "the network of sandboxes on platform aws answers no unlisted name, so there is nothing to learn; learn on a stack of another platform, and remove it here",
  ],
  [
    { platform: "host", gateway, host: { address: "10.0.0.5", hostKey } },
    "aws",
    "nothing reads it on platform host; remove it, or set platform to aws",
  ],
  [
    { platform: "azure" },
    "platform",
    '"azure" is no platform; set it to host or aws',
  ],
])("%j", (change, key, message) => {
  const circumstances = { stack: "test", now: new Date() };
  const { problems } = parseConfig({ ...good, ...change }, circumstances);
  expect(problems.map((problem) => [problem.key, problem.message])).toEqual([
    [key, message],
  ]);
});
