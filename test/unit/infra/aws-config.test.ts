/** Every refusal of a configuration for AWS, with its exact words. */
import { expect, test } from "vitest";
import { parseConfig } from "../../../infra/config.ts";

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
    alarmEmails: [],
  });
});

test("a stack may have the road in only", () => {
  expect(parseConfig({ ...good, egress: undefined }).problems).toEqual([]);
});

const aws = (change: object) => ({ aws: { ...good.aws, ...change } });
const agent =
  "https://s3.eu-central-1.amazonaws.com/amazon-ssm-eu-central-1/3.3.2299.0/debian_arm64/amazon-ssm-agent.deb";
const sha256 = "0".repeat(64);
const gateway = {
  server: { address: "10.0.0.5", hostKey },
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
  [aws({ zones: 1 }), "aws.zones", "Too small: expected number to be >=2"],
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
    aws({ edge: { instanceType: "c7g" } }),
    "aws.edge.instanceType",
    '"c7g" is not an instance type; write one such as c7g.medium',
  ],
  [
    aws({ edge: { minimum: 4, maximum: 3 } }),
    "aws.edge.maximum",
    "maximum is below minimum; make it at least as many",
  ],
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
        learn: { until: new Date(Date.now() + 60_000).toISOString() },
      },
    },
    "egress.learn",
    "the network of sandboxes on platform aws answers no unlisted name, so there is nothing to learn; learn on a stack of another platform, and remove it here",
  ],
  [
    { platform: "local", gateway },
    "aws",
    "nothing reads it on platform local; remove it, or set platform to aws",
  ],
  [
    { platform: "azure" },
    "platform",
    '"azure" is no platform; set it to local, host or aws',
  ],
])("%j", (change, key, message) => {
  const circumstances = { stack: "test", now: new Date() };
  const { problems } = parseConfig({ ...good, ...change }, circumstances);
  expect(problems.map((problem) => [problem.key, problem.message])).toEqual([
    [key, message],
  ]);
});
