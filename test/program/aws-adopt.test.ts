/** Production in networks that exist: what the stack makes in them, and what it refuses. */
import * as pulumi from "@pulumi/pulumi";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { violations } from "../../infra/policies/index.ts";
import { checkout } from "../../scripts/checkout.ts";
import { type Resource, nameOf } from "../../scripts/toolchain/engine-state.ts";
import type { ExistingAws } from "../../scripts/toolchain/providers/aws-existing.ts";
import type { Stack } from "../../scripts/toolchain/stack.ts";
import { type Production, production } from "./production.ts";

const policyPacks = [join(checkout, "policies")];
const id = (kind: string, digit: string) => `${kind}-${digit.repeat(8)}`;
const servicesVpc = id("vpc", "a");
const sandboxesVpc = id("vpc", "b");
const services = {
  adopt: {
    vpcId: servicesVpc,
    subnetIds: [id("subnet", "1"), id("subnet", "2")],
  },
};
const sandboxes = {
  adopt: {
    vpcId: sandboxesVpc,
    subnetIds: [id("subnet", "3"), id("subnet", "4")],
  },
};

const local = { cidrBlock: "10.20.0.0/16", gatewayId: "local" };
const internet = id("igw", "a");
const [one, two] = [id("subnet", "1"), id("subnet", "2")];
const [three, four] = [id("subnet", "3"), id("subnet", "4")];
const [table, mainTable, otherTable] = [
  ...[id("rtb", "a"), id("rtb", "b"), id("rtb", "c")],
] as const;

const subnet = (vpcId: string, zone: string, addresses: string) => ({
  vpcId,
  availabilityZone: `eu-central-1${zone}`,
  cidrBlock: `10.${addresses}.0/24`,
});
/** As both networks should be, part by part. */
const parts = {
  servicesVpc: {
    cidrBlocks: ["10.20.0.0/16"],
    ipv6CidrBlocks: ["2001:db8:0:aa00::/56"],
  },
  sandboxesVpc: { cidrBlocks: ["10.30.0.0/16"] },
  one: {
    ...subnet(servicesVpc, "a", "20.1"),
    ipv6CidrBlock: "2001:db8:0:aa01::/64",
  },
  two: {
    ...subnet(servicesVpc, "b", "20.2"),
    ipv6CidrBlock: "2001:db8:0:aa02::/64",
  },
  three: subnet(sandboxesVpc, "a", "30.1"),
  four: subnet(sandboxesVpc, "b", "30.2"),
  table: {
    vpcId: servicesVpc,
    main: true,
    routes: [
      local,
      { cidrBlock: "0.0.0.0/0", gatewayId: internet },
      { ipv6CidrBlock: "::/0", gatewayId: internet },
    ],
  },
  mainTable: {
    vpcId: sandboxesVpc,
    main: true,
    routes: [{ ...local, cidrBlock: "10.30.0.0/16" }],
  },
  otherTable: {
    vpcId: sandboxesVpc,
    subnetIds: [four],
    routes: [{ ...local, cidrBlock: "10.30.0.0/16" }],
  },
};
const good: ExistingAws = {
  vpcs: {
    [servicesVpc]: parts.servicesVpc,
    [sandboxesVpc]: parts.sandboxesVpc,
  },
  subnets: {
    [one]: parts.one,
    [two]: parts.two,
    [three]: parts.three,
    [four]: parts.four,
  },
  routeTables: {
    [table]: parts.table,
    [mainTable]: parts.mainTable,
    [otherTable]: parts.otherTable,
  },
  internetGateways: { [internet]: { vpcId: servicesVpc } },
  networkInterfaces: {
    // A runner.
    [id("eni", "1")]: {
      vpcId: sandboxesVpc,
      subnetId: three,
      interfaceType: "interface",
      description: "",
      requesterManaged: false,
    },
  },
};

let prod: Production;
beforeEach(async () => {
  prod = await production();
});
afterEach(() => {
  prod.remove();
});

function configure(networks: object): void {
  prod.configure({
    "daytona-edge:aws": { region: "eu-central-1", ...networks },
  });
}

const routes = (resources: readonly Resource[]) =>
  Object.fromEntries(
    resources
      .filter(({ type }) => type === "aws:ec2/route:Route")
      .map((route) => [
        nameOf(route),
        [route.inputs.routeTableId, route.inputs.destinationCidrBlock],
      ]),
  );

describe("adopted", () => {
  test("both: nothing of theirs is made, the walls stand, and nothing changes twice", async () => {
    configure({ services, sandboxes });
    await using stack = await prod.open({ existing: good });
    await stack.up();
    const { resources } = prod.state();
    expect(violations(resources)).toEqual([]);
    expect((await stack.preview()).changed).toBe(false);

    const types = new Set(resources.map(({ type }) => type));
    for (const type of [
      "aws:ec2/vpc:Vpc",
      "aws:ec2/subnet:Subnet",
      "aws:ec2/routeTable:RouteTable",
      "aws:ec2/routeTableAssociation:RouteTableAssociation",
      "aws:ec2/internetGateway:InternetGateway",
      "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
    ]) {
      expect(types, type).not.toContain(type);
    }
    const made = (name: string) => {
      const found = resources.find((resource) => nameOf(resource) === name);
      if (!found) throw new Error(`no ${name}`);
      return found.inputs;
    };
    expect(made("aws-sandboxes-peering")).toMatchObject({
      vpcId: sandboxesVpc,
      peerVpcId: servicesVpc,
    });
    // Only where the stack's own machines and runners are.
    const [toA, toB] = ["10.20.1.0/24", "10.20.2.0/24"];
    expect(routes(resources)).toEqual({
      "aws-sandboxes-to-services": [mainTable, toA],
      "aws-sandboxes-to-services-1": [mainTable, toB],
      "aws-sandboxes-to-services-2": [otherTable, toA],
      "aws-sandboxes-to-services-3": [otherTable, toB],
      "aws-sandboxes-from-services": [table, "10.30.1.0/24"],
      "aws-sandboxes-from-services-1": [table, "10.30.2.0/24"],
    });
    expect(made("aws-sandboxes-wall")).toMatchObject({
      vpcId: sandboxesVpc,
      subnetIds: sandboxes.adopt.subnetIds,
    });
    expect(made("aws-sandboxes-flow-log").vpcId).toBe(sandboxesVpc);
    expect(made("aws-sandboxes-runners").vpcId).toBe(sandboxesVpc);
    expect(made("aws-sandboxes-runners-gateway-443-1").cidrIpv4).toBe(toB);
    expect(made("aws-gateway-from-sandboxes-443-1").cidrIpv4).toBe(
      "10.30.2.0/24",
    );
    expect(made("aws-sandboxes-names-association").vpcId).toBe(sandboxesVpc);
    expect(made("aws-sandboxes-names-closed").resourceId).toBe(sandboxesVpc);
    expect(made("aws-sandboxes-names-openrouter.ai").vpcs).toEqual([
      expect.objectContaining({ vpcId: sandboxesVpc }),
    ]);
    expect(
      resources.find(({ type }) => type === "aws:autoscaling/group:Group")
        ?.inputs.vpcZoneIdentifiers,
    ).toEqual(services.adopt.subnetIds);
  });

  test.each([
    ["services", { services, sandboxes: { cidr: "10.31.0.0/16" } }],
    ["sandboxes", { sandboxes }],
  ])("%s alone: the pack finds nothing", async (_, networks) => {
    configure(networks);
    await using stack = await prod.open({ existing: good, policyPacks });
    expect(await failureOf(stack)).toBe("");
  });

  test("the pack finds what is weak in an adopted network", async () => {
    configure({ services, sandboxes });
    await using stack = await prod.open({
      existing: good,
      policyPacks,
      before: () => {
        void pulumi.runtime.registerResourceTransform(weaken);
      },
    });
    const failure = await failureOf(stack);
    for (const text of [
      `${three} has no network ACL of its own`,
      `${four} has no network ACL of its own`,
      "It leads out by natGatewayId",
      `${sandboxesVpc} has a DNS Firewall that may fail open`,
    ]) {
      expect(failure).toContain(text);
    }
    expect(failure.match(/\[mandatory\]/g)).toHaveLength(4);
  });
});

function weaken({
  name,
  props,
  opts,
}: pulumi.ResourceTransformArgs): pulumi.ResourceTransformResult {
  const weaknesses: Readonly<Record<string, object>> = {
    "aws-sandboxes-wall": { subnetIds: [] },
    "aws-sandboxes-to-services-2": { natGatewayId: "nat-1" },
    "aws-sandboxes-names-closed": { firewallFailOpen: "ENABLED" },
  };
  return { props: { ...(props as object), ...weaknesses[name] }, opts };
}

/** What a preview fails with; nothing when it passes. */
function failureOf(stack: Stack): Promise<string> {
  return stack.preview().then(
    () => "",
    (error: unknown) => String(error),
  );
}

describe("refused before anything is made", () => {
  /** Every line of the report, which the engine says twice, without what all lines begin with. */
  async function problemsWith(
    existing: ExistingAws,
    networks: object = { services, sandboxes },
  ): Promise<string[]> {
    configure(networks);
    await using stack = await prod.open({ existing });
    const failure = await stack.up().then(
      () => "",
      (error: unknown) => String(error),
    );
    const { resources } = prod.state();
    expect(resources.map(({ type }) => type)).not.toContain(
      "daytona-edge:aws:Platform",
    );
    const lines = failure
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line.startsWith("daytona-edge:"))
      .map((line) => line.replace(/^daytona-edge:aws\.(\S+) +/, "$1 "));
    return [...new Set(lines)];
  }

  test("VPCs and subnets that are not there", async () => {
    expect(await problemsWith({})).toEqual([
      `services.adopt.vpcId "${servicesVpc}" is not there; write a VPC of this account in eu-central-1`,
      `sandboxes.adopt.vpcId "${sandboxesVpc}" is not there; write a VPC of this account in eu-central-1`,
    ]);
    expect(
      await problemsWith({
        ...good,
        subnets: {
          [one]: parts.one,
          [three]: { ...parts.three, vpcId: servicesVpc },
          [four]: {
            ...parts.four,
            availabilityZone: "eu-central-1a",
          },
        },
      }),
    ).toEqual([
      `services.adopt.subnetIds[1] "${two}" is not there; write a subnet of ${servicesVpc}`,
      `sandboxes.adopt.subnetIds[0] "${three}" is in ${servicesVpc}; write a subnet of ${sandboxesVpc}`,
      `sandboxes.adopt.subnetIds[1] "${four}" is in eu-central-1a, as ${three} is; write a subnet of another zone`,
    ]);
  });

  test("services that the world does not reach", async () => {
    const notPublic = (everything: string, subnet: string) =>
      `"${subnet}" has no route ${everything} to an internet gateway in ${table}; the front door and its machines stand in public subnets: add the route, or write a public subnet`;
    expect(
      await problemsWith({
        ...good,
        vpcs: {
          ...good.vpcs,
          [servicesVpc]: {
            ...parts.servicesVpc,
            enableDnsSupport: false,
          },
        },
        subnets: {
          ...good.subnets,
          [two]: { ...parts.two, ipv6CidrBlock: "" },
        },
        routeTables: {
          ...good.routeTables,
          [table]: {
            ...parts.table,
            routes: [
              local,
              // Out, but not in.
              { cidrBlock: "0.0.0.0/0", natGatewayId: "nat-1" },
            ],
          },
        },
      }),
    ).toEqual([
      `services.adopt.vpcId "${servicesVpc}" has enableDnsSupport off, so that machines find neither AWS nor Debian's mirrors; switch it on`,
      `services.adopt.subnetIds[0] ${notPublic("0.0.0.0/0", one)}`,
      `services.adopt.subnetIds[0] ${notPublic("::/0", one)}`,
      `services.adopt.subnetIds[1] ${notPublic("0.0.0.0/0", two)}`,
      `services.adopt.subnetIds[1] "${two}" has no IPv6 network; the front door is dual-stack: associate one, with a route ::/0 to the internet gateway`,
    ]);
  });

  test("sandboxes with another way out, and with somebody else", async () => {
    const out = (what: string) =>
      `sandboxes.adopt.vpcId "${sandboxesVpc}" has the ${what}; sandboxes have no way out but the gateway: remove it, or write a VPC without`;
    const off = (attribute: string) =>
      `sandboxes.adopt.vpcId "${sandboxesVpc}" has ${attribute} off, so that the listed hosts are not the gateway in it; switch it on`;
    const road = (destination: string, target: string) =>
      `sandboxes.adopt.vpcId "${sandboxesVpc}" has a route to ${destination} by ${target} in ${otherTable}; sandboxes reach the gateway, and by peering what aws.sandboxes.controlPlane lists: remove the route, or list where it leads`;
    const stranger = (what: string, where: string) =>
      `sandboxes.adopt.vpcId "${sandboxesVpc}" holds ${what} in ${where}, which is no machine in subnetIds; private zones and DNS Firewall would be its, too, so that the VPC may hold runners only: move it away, or else the gateway belongs on the runner hosts, as on the platform host`;
    const own = { vpcId: sandboxesVpc };
    expect(
      await problemsWith({
        ...good,
        vpcs: {
          ...good.vpcs,
          [sandboxesVpc]: {
            ...parts.sandboxesVpc,
            ipv6CidrBlocks: ["2001:db8:0:bb00::/56"],
            enableDnsSupport: false,
            enableDnsHostnames: false,
          },
        },
        subnets: {
          ...good.subnets,
          [four]: { ...parts.four, mapPublicIpOnLaunch: true },
        },
        routeTables: {
          ...good.routeTables,
          [otherTable]: {
            ...parts.otherTable,
            routes: [
              { cidrBlock: "10.30.0.0/16", gatewayId: "local" },
              // The stack's own, from an earlier deploy.
              { cidrBlock: "10.20.1.0/24", vpcPeeringConnectionId: "pcx-1" },
              { cidrBlock: "10.90.0.0/16", vpcPeeringConnectionId: "pcx-2" },
              { cidrBlock: "0.0.0.0/0", transitGatewayId: "tgw-1" },
              { destinationPrefixListId: "pl-1", gatewayId: "vpce-1" },
              { ipv6CidrBlock: "::/0", egressOnlyGatewayId: "eigw-1" },
            ],
          },
        },
        internetGateways: { ...good.internetGateways, [id("igw", "b")]: own },
        natGateways: { [id("nat", "b")]: own },
        networkInterfaces: {
          ...good.networkInterfaces,
          [id("eni", "2")]: {
            ...own,
            subnetId: three,
            interfaceType: "vpc_endpoint",
            description: "VPC Endpoint Interface vpce-2",
            requesterManaged: true,
          },
          [id("eni", "3")]: {
            ...own,
            subnetId: id("subnet", "9"),
            interfaceType: "interface",
            description: "",
            requesterManaged: false,
          },
        },
      }),
    ).toEqual([
      off("enableDnsSupport"),
      off("enableDnsHostnames"),
      out(`internet gateway ${id("igw", "b")}`),
      out(`NAT gateway ${id("nat", "b")}`),
      out("IPv6 network 2001:db8:0:bb00::/56"),
      road("10.90.0.0/16", "pcx-2"),
      road("0.0.0.0/0", "tgw-1"),
      road("pl-1", "vpce-1"),
      road("::/0", "eigw-1"),
      `sandboxes.adopt.subnetIds[1] "${four}" gives machines public addresses; sandboxes have none: switch mapPublicIpOnLaunch and assignIpv6AddressOnCreation off`,
      stranger(
        `${id("eni", "2")} (vpc_endpoint, "VPC Endpoint Interface vpce-2")`,
        three,
      ),
      stranger(`${id("eni", "3")} (interface)`, id("subnet", "9")),
    ]);
  });

  test("networks that share addresses cannot be peered", async () => {
    expect(
      await problemsWith(good, {
        services: { cidr: "10.30.0.0/16" },
        sandboxes,
      }),
    ).toEqual([
      "sandboxes.adopt.vpcId 10.30.0.0/16 and aws.services.cidr, 10.30.0.0/16, share addresses; networks that are peered cannot",
    ]);
  });
});
