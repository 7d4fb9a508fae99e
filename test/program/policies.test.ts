/**
 * Production keeps to every policy, and each policy finds production when it is
 * weakened: over what the engine keeps, and as a policy pack of the engine.
 */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { join } from "node:path";
import {
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  test,
} from "vitest";
import { violations } from "../../infra/policies/index.ts";
import type { PlannedResource } from "../../infra/policies/resources.ts";
import { checkout } from "../../scripts/checkout.ts";
import { nameOf } from "../../scripts/toolchain/engine-state.ts";
import type { Stack } from "../../scripts/toolchain/stack.ts";
import { type Production, production } from "./production.ts";

const pack = join(checkout, "policies");

describe("over what the engine keeps", () => {
  let resources: readonly PlannedResource[];
  beforeAll(async () => {
    const prod = await production();
    try {
      // The pack sees what this deploy decides; in a preview it is not known.
      await using stack = await prod.open({ policyPacks: [pack] });
      await stack.up();
      resources = prod.state().resources;
    } finally {
      prod.remove();
    }
  });

  test("production violates none", () => {
    expect(violations(resources)).toEqual([]);
  });

  type Change = Partial<PlannedResource> | Record<"inputs", object>;

  /** Names of the policies that find a copy with this resource changed. */
  function foundBy(name: string, change: Change): string[] {
    const weakened = resources.map((resource) =>
      nameOf(resource) === name && !isComponent(resource)
        ? {
            ...resource,
            ...change,
            inputs: { ...resource.inputs, ...change.inputs },
          }
        : resource,
    );
    expect(weakened).not.toEqual(resources);
    return violations(weakened).map(({ policy, urn }) => {
      expect(urn).toContain(name);
      return policy;
    });
  }

  const metadata = { httpTokens: "optional", httpPutResponseHopLimit: 1 };
  const openTo = { cidrIpv4: "0.0.0.0/0", ipProtocol: "tcp" };
  const everything = { Effect: "Allow", Action: "*", Resource: "*" };
  test.each<[string, Change, string[]]>([
    [
      "aws-edge-machines-template",
      { inputs: { metadataOptions: metadata } },
      ["instance-metadata"],
    ],
    [
      "aws-edge-machines-template",
      { inputs: { blockDeviceMappings: [{ ebs: { volumeSize: 8 } }] } },
      ["encryption"],
    ],
    [
      "aws-edge-machines-from-door-443",
      { inputs: { ...openTo, fromPort: 443, toPort: 443 } },
      ["open-ingress"],
    ],
    [
      "aws-edge-from-all-443",
      { inputs: { fromPort: 22, toPort: 22 } },
      ["open-ingress"],
    ],
    [
      "aws-sandboxes-default-group",
      {
        inputs: {
          ingress: [
            {
              ...{ protocol: "-1", fromPort: 0, toPort: 0 },
              cidrBlocks: ["0.0.0.0/0"],
            },
          ],
        },
      },
      ["open-ingress"],
    ],
    [
      "aws-sandboxes-runners-gateway-443",
      { inputs: openTo },
      ["sandboxes-egress"],
    ],
    [
      "aws-sandboxes-to-services",
      { inputs: { destinationCidrBlock: "0.0.0.0/0" } },
      ["sandboxes-routes"],
    ],
    [
      "aws-sandboxes-to-services",
      { inputs: { natGatewayId: "nat-1" } },
      ["sandboxes-routes"],
    ],
    [
      "aws-sandboxes-wall",
      {
        inputs: {
          egress: [{ protocol: "-1", action: "allow", cidrBlock: "0.0.0.0/0" }],
        },
      },
      ["sandboxes-network-acl"],
    ],
    [
      "aws-sandboxes-subnet-0",
      { inputs: { mapPublicIpOnLaunch: true } },
      ["sandboxes-public-addresses"],
    ],
    [
      "aws-certificate-renew-dead-letters",
      { inputs: { sqsManagedSseEnabled: false } },
      ["encryption"],
    ],
    [
      "aws-certificate-renew-function",
      {
        inputs: {
          environment: {
            variables: { CLOUDFLARE_API_TOKEN: "Ab1".repeat(14) },
          },
        },
      },
      ["plain-secrets"],
    ],
    [
      "aws-sandboxes-flows-role",
      {
        inputs: {
          assumeRolePolicy: JSON.stringify({
            Statement: {
              Effect: "Allow",
              Action: "sts:AssumeRole",
              Principal: { Service: "vpc-flow-logs.amazonaws.com" },
            },
          }),
        },
      },
      ["service-trust"],
    ],
    ["aws-edge-address-0", { protect: false }, ["protection"]],
    ["aws-edge-balancer", { protect: false }, ["protection"]],
    [
      "dns-wildcard",
      { inputs: { proxied: true, ttl: 1 } },
      ["dns-records", "dns-records"],
    ],
    [
      "aws-edge-machines-policy",
      { inputs: { policy: JSON.stringify({ Statement: everything }) } },
      ["iam-wildcards"],
    ],
  ])("%s with %j is found", (name, change, policies) => {
    expect(foundBy(name, change)).toEqual(policies);
  });

  test.each([
    ["aws-bundles-encrypted", "aws-bundles-bucket", "bucket-encryption"],
    ["aws-sandboxes-wall", "aws-sandboxes-subnet-1", "sandboxes-network-acl"],
  ])("without %s, %s is found", (gone, name, policy) => {
    const rest = resources.filter((resource) => nameOf(resource) !== gone);
    expect(violations(rest)).toContainEqual({
      policy,
      urn: expect.stringContaining(name) as string,
      text: expect.any(String) as string,
    });
  });

  test("the machine group in the front door's group opens it to everybody", () => {
    const door = resources.find(
      (resource) => nameOf(resource) === "aws-edge-group",
    );
    const weakened = resources.map((resource) =>
      nameOf(resource) === "aws-edge-machines-template"
        ? {
            ...resource,
            propertyDependencies: { networkInterfaces: [door?.urn ?? ""] },
          }
        : resource,
    );
    expect(violations(weakened).map(({ policy }) => policy)).toEqual(
      Array(4).fill("open-ingress"),
    );
  });

  test("a secret that only lies in user data is found", () => {
    expect(
      foundBy("aws-edge-machines-template", {
        inputs: {
          userData: Buffer.from(
            `#!/bin/sh\nKEY=AKIA${"Q3".repeat(8)}\n`,
          ).toString("base64"),
        },
      }),
    ).toEqual(["plain-secrets"]);
  });
});

describe("as a policy pack of the engine", () => {
  let prod: Production;
  beforeEach(async () => {
    prod = await production();
  });
  afterEach(() => {
    prod.remove();
  });

  test("production's preview passes, and no policy is left out", async () => {
    const said: string[] = [];
    await using stack = await prod.open({
      policyPacks: [pack],
      onProgress: (line) => said.push(line),
      before: () => {
        // What goes where secrets belong is none that is shown.
        new aws.secretsmanager.SecretVersion("kept", {
          secretId: "kept",
          secretString: JSON.stringify({ token }),
        });
      },
    });
    await expect(stack.preview()).resolves.toBeDefined();
    expect(said.filter((line) => line.includes("daytona-edge@"))).toEqual([
      expect.stringMatching(/^✅ /),
    ]);
    expect(said.join("\n")).not.toMatch(/advisory|can't run/);
  });

  test("a control plane in a private network passes", async () => {
    const controlPlane = [{ cidr: "10.82.0.0/24", port: 443 }];
    prod.configure({
      "daytona-edge:aws": {
        region: "eu-central-1",
        sandboxes: { controlPlane },
      },
    });
    await using stack = await prod.open({ policyPacks: [pack] });
    expect(found(await failureOf(stack))).toEqual([]);
  });

  test("a weakened one fails, and says what is wrong with what", async () => {
    await using stack = await prod.open({
      policyPacks: [pack],
      before: () => {
        void pulumi.runtime.registerResourceTransform(weaken);
        new WayOut("rogue");
      },
    });
    const failure = await failureOf(stack);
    expect(found(failure)).toEqual([
      "bucket-encryption aws-bundles-bucket",
      "dns-records dns-wildcard",
      "encryption aws-certificate-renew-dead-letters",
      "iam-wildcards aws-edge-machines-role",
      "instance-metadata aws-edge-machines-template",
      "open-ingress aws-edge-from-all-443",
      "plain-secrets aws-certificate-renew-function",
      "protection aws-edge-address-0",
      "protection rogue-vpc",
      "sandboxes-egress aws-sandboxes-runners-gateway-443",
      "sandboxes-names rogue-vpc",
      "sandboxes-names rogue-vpc",
      "sandboxes-network-acl aws-sandboxes-wall",
      "sandboxes-public-addresses aws-sandboxes-subnet-0",
      "sandboxes-routes aws-sandboxes-to-services",
      "sandboxes-routes rogue-gateway",
      "sandboxes-routes rogue-route",
    ]);
    expect(failure).toContain("0.0.0.0/0 may come in on 22");
    expect(failure).not.toContain(token);
  });
});

/** What a preview fails with; nothing when it passes. */
function failureOf(stack: Stack): Promise<string> {
  return stack.preview().then(
    () => "",
    (error: unknown) => String(error),
  );
}

/** Which policies a failure names, and for which resources. */
function found(failure: string): string[] {
  return Array.from(
    failure.matchAll(/\[mandatory\] +(\S+) +\(\S+ (\S+)\)/g),
    ([, policy, name]) => `${policy} ${name}`,
  );
}

const token = "Ab1".repeat(14);
const openEntry = { ruleNo: 1, protocol: "-1", fromPort: 0, toPort: 0 };

/** One weakness for each policy. */
const weaknesses: Readonly<Record<string, object>> = {
  "aws-bundles-encrypted": { rules: [] },
  "dns-wildcard": { ttl: 1 },
  "aws-certificate-renew-dead-letters": { sqsManagedSseEnabled: false },
  "aws-edge-machines-role": {
    managedPolicyArns: ["arn:aws:iam::aws:policy/AdministratorAccess"],
  },
  "aws-edge-machines-template": {
    metadataOptions: { httpTokens: "optional", httpPutResponseHopLimit: 1 },
  },
  "aws-edge-from-all-443": { fromPort: 22, toPort: 22 },
  "aws-certificate-renew-function": {
    environment: { variables: { CLOUDFLARE_API_TOKEN: token } },
  },
  "aws-sandboxes-runners-gateway-443": { cidrIpv4: "0.0.0.0/0" },
  "aws-sandboxes-wall": {
    egress: [{ ...openEntry, action: "allow", cidrBlock: "0.0.0.0/0" }],
  },
  "aws-sandboxes-subnet-0": { mapPublicIpOnLaunch: true },
  "aws-sandboxes-to-services": { natGatewayId: "nat-1" },
};

/** A way to the internet, of whose parts no preview knows the ids. */
class WayOut extends pulumi.ComponentResource {
  constructor(name: string) {
    super("daytona-edge:aws:SandboxesNetwork", name);
    const inside = { parent: this };
    const vpc = new aws.ec2.Vpc(
      `${name}-vpc`,
      { cidrBlock: "10.90.0.0/16" },
      inside,
    );
    const [gateway, table] = [
      new aws.ec2.InternetGateway(`${name}-gateway`, { vpcId: vpc.id }, inside),
      new aws.ec2.RouteTable(`${name}-table`, { vpcId: vpc.id }, inside),
    ];
    new aws.ec2.Route(
      `${name}-route`,
      {
        routeTableId: table.id,
        gatewayId: gateway.id,
        destinationCidrBlock: "192.0.2.0/24",
      },
      inside,
    );
    this.registerOutputs({});
  }
}

function weaken({
  type,
  name,
  props,
  opts,
}: pulumi.ResourceTransformArgs): pulumi.ResourceTransformResult {
  const weakness = isComponent({ type }) ? undefined : weaknesses[name];
  return {
    props: { ...(props as object), ...weakness },
    opts: name === "aws-edge-address-0" ? { ...opts, protect: false } : opts,
  };
}

function isComponent({ type }: Pick<PlannedResource, "type">): boolean {
  return type.startsWith("daytona-edge:");
}
