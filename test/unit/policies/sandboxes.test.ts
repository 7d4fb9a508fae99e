import { describe, expect, test } from "vitest";
import type { PlannedResource } from "../../../infra/policies/resources.ts";
import {
  sandboxesEgress,
  sandboxesNames,
  sandboxesNetworkAcl,
  sandboxesPublicAddresses,
  sandboxesRoutes,
} from "../../../infra/policies/sandboxes.ts";
import { type Surroundings, names, planned } from "./planned.ts";

const vpcType = "aws:ec2/vpc:Vpc";
const ours = planned(
  vpcType,
  "ours",
  {},
  {
    component: "daytona-edge:aws:Platform$daytona-edge:aws:SandboxesNetwork",
  },
);
const theirs = planned(
  vpcType,
  "theirs",
  {},
  {
    component: "daytona-edge:aws:Platform$daytona-edge:aws:ServicesNetwork",
  },
);
const inVpc = (vpc: PlannedResource): Surroundings => ({
  from: { vpcId: [vpc] },
});

describe("sandboxes-routes", () => {
  const table = (vpc: PlannedResource, routes: object[] = []) =>
    planned("aws:ec2/routeTable:RouteTable", "table", { routes }, inVpc(vpc));
  const route = (
    of: PlannedResource,
    inputs: object,
    from: Surroundings["from"] = {},
  ) =>
    planned(
      "aws:ec2/route:Route",
      "route",
      { ...inputs },
      {
        from: { routeTableId: [of], ...from },
      },
    );
  const judge = (...resources: PlannedResource[]) =>
    names(sandboxesRoutes.judgeStack([ours, theirs, ...resources]));
  const services = { destinationCidrBlock: "10.80.0.0/16" };

  test.each([
    ["by the peering", { ...services, vpcPeeringConnectionId: "pcx-1" }],
    ["that AWS made itself", { ...services, gatewayId: "local" }],
    [
      "with what is unset as the provider writes it",
      { ...services, gatewayId: "", natGatewayId: "" },
    ],
  ])("a route %s", (_, inputs) => {
    expect(judge(table(ours), route(table(ours), inputs))).toEqual([]);
  });

  test.each([
    ["to an internet gateway", { ...services, gatewayId: "igw-1" }],
    ["to a NAT gateway", { ...services, natGatewayId: "nat-1" }],
    ["to a machine", { ...services, networkInterfaceId: "eni-1" }],
    [
      "to everything",
      { destinationCidrBlock: "0.0.0.0/0", vpcPeeringConnectionId: "pcx-1" },
    ],
    ["to every IPv6 address", { destinationIpv6CidrBlock: "::/0" }],
  ])("a route %s", (_, inputs) => {
    expect(judge(table(ours), route(table(ours), inputs))).toEqual(["route"]);
    expect(judge(table(theirs), route(table(theirs), inputs))).toEqual([]);
  });

  test.each([services, { ...services, natGatewayId: undefined }])(
    "a gateway that is not made yet has no id, and is found all the same: %j",
    (inputs) => {
      const nat = planned("aws:ec2/natGateway:NatGateway", "nat");
      const out = route(table(ours), inputs, { natGatewayId: [nat] });
      expect(judge(table(ours), out, nat)).toEqual(["route"]);
    },
  );

  test("inside its table", () => {
    const inline = { cidrBlock: "10.90.0.0/16", transitGatewayId: "tgw-1" };
    expect(judge(table(ours, [inline]))).toEqual(["table"]);
    expect(judge(table(theirs, [inline]))).toEqual([]);
  });

  test("in the table that AWS made with the VPC", () => {
    const table = planned(
      "aws:ec2/defaultRouteTable:DefaultRouteTable",
      "main",
      { routes: [{ cidrBlock: "0.0.0.0/0", gatewayId: "igw-1" }] },
      { from: { defaultRouteTableId: [ours] } },
    );
    expect(judge(table)).toEqual(["main", "main"]);
  });

  test.each([
    "aws:ec2/internetGateway:InternetGateway",
    "aws:ec2/egressOnlyInternetGateway:EgressOnlyInternetGateway",
  ])("a %s in the VPC, even without a route", (type) => {
    expect(judge(planned(type, "gateway", {}, inVpc(ours)))).toEqual([
      "gateway",
    ]);
    expect(judge(planned(type, "gateway", {}, inVpc(theirs)))).toEqual([]);
  });
});

describe("sandboxes-egress", () => {
  const group = (vpc: PlannedResource, egress: object[] = []) =>
    planned(
      "aws:ec2/securityGroup:SecurityGroup",
      "group",
      { egress },
      inVpc(vpc),
    );
  const rule = (of: PlannedResource, inputs: object) =>
    planned(
      "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
      "rule",
      { ...inputs },
      { from: { securityGroupId: [of] } },
    );
  const judge = (...resources: PlannedResource[]) =>
    names(sandboxesEgress.judgeStack([ours, theirs, ...resources]));

  test("to the gateway's network", () => {
    const named = rule(group(ours), { cidrIpv4: "10.80.0.0/16" });
    expect(judge(group(ours), named)).toEqual([]);
  });

  test.each([{ cidrIpv4: "0.0.0.0/0" }, { cidrIpv6: "::/0" }])(
    "to everybody: %j",
    (inputs) => {
      expect(judge(group(ours), rule(group(ours), inputs))).toEqual(["rule"]);
      expect(judge(group(theirs), rule(group(theirs), inputs))).toEqual([]);
    },
  );

  test("to everybody, inside the group", () => {
    const inline = [{ protocol: "-1", cidrBlocks: ["0.0.0.0/0"] }];
    expect(judge(group(ours, inline))).toEqual(["group"]);
    expect(judge(group(theirs, inline))).toEqual([]);
  });
});

describe("sandboxes-network-acl", () => {
  const subnet = planned("aws:ec2/subnet:Subnet", "subnet", {}, inVpc(ours));
  const acl = (egress: object[], subnets = [subnet]) =>
    planned(
      "aws:ec2/networkAcl:NetworkAcl",
      "acl",
      { egress },
      {
        from: { vpcId: [ours], subnetIds: subnets },
      },
    );
  const judge = (...resources: PlannedResource[]) =>
    names(sandboxesNetworkAcl.judgeStack([ours, ...resources]));

  test.each([
    [
      "allows the gateway's network",
      { action: "allow", cidrBlock: "10.80.0.0/16" },
    ],
    ["denies everything", { action: "deny", cidrBlock: "0.0.0.0/0" }],
  ])("an entry %s", (_, entry) => {
    expect(judge(subnet, acl([entry]))).toEqual([]);
  });

  test.each([
    { action: "allow", cidrBlock: "0.0.0.0/0" },
    { action: "allow", ipv6CidrBlock: "::/0" },
  ])("an open entry: %j", (entry) => {
    expect(judge(subnet, acl([entry]))).toEqual(["acl"]);
  });

  test.each([
    [true, ["entry"]],
    [false, []],
  ])("an open entry by itself, egress %s", (egress, expected) => {
    const entry = planned(
      "aws:ec2/networkAclRule:NetworkAclRule",
      "entry",
      { egress, ruleAction: "allow", cidrBlock: "0.0.0.0/0" },
      { from: { networkAclId: [acl([])] } },
    );
    expect(judge(subnet, acl([]), entry)).toEqual(expected);
  });

  test("a subnet that no ACL names", () => {
    expect(judge(subnet, acl([], []))).toEqual(["subnet"]);
    const association = planned(
      "aws:ec2/networkAclAssociation:NetworkAclAssociation",
      "association",
      {},
      { from: { subnetId: [subnet] } },
    );
    expect(judge(subnet, acl([], []), association)).toEqual([]);
  });
});

describe("sandboxes-public-addresses", () => {
  const subnet = (vpc: PlannedResource, inputs = {}) =>
    planned("aws:ec2/subnet:Subnet", "subnet", inputs, inVpc(vpc));
  const judge = (...resources: PlannedResource[]) =>
    names(sandboxesPublicAddresses.judgeStack([ours, theirs, ...resources]));

  test.each([{}, { mapPublicIpOnLaunch: false }])(
    "a subnet with %j",
    (inputs) => {
      expect(judge(subnet(ours, inputs))).toEqual([]);
    },
  );

  test.each([
    { mapPublicIpOnLaunch: true },
    { assignIpv6AddressOnCreation: true },
  ])("a subnet with %j", (inputs) => {
    expect(judge(subnet(ours, inputs))).toEqual(["subnet"]);
    expect(judge(subnet(theirs, inputs))).toEqual([]);
  });

  test("a machine that asks for one", () => {
    const instance = (vpc: PlannedResource, asks: boolean) =>
      planned(
        "aws:ec2/instance:Instance",
        "machine",
        { associatePublicIpAddress: asks },
        { from: { subnetId: [subnet(vpc)] } },
      );
    expect(judge(subnet(ours), instance(ours, true))).toEqual(["machine"]);
    expect(judge(subnet(ours), instance(ours, false))).toEqual([]);
    expect(judge(subnet(theirs), instance(theirs, true))).toEqual([]);
  });

  test("a launch template in the sandboxes' group that asks for one", () => {
    const group = planned(
      "aws:ec2/securityGroup:SecurityGroup",
      "group",
      {},
      inVpc(ours),
    );
    const template = planned(
      "aws:ec2/launchTemplate:LaunchTemplate",
      "template",
      { networkInterfaces: [{ associatePublicIpAddress: "true" }] },
      { from: { networkInterfaces: [group] } },
    );
    expect(judge(group, template)).toEqual(["template"]);
  });
});

describe("sandboxes-names", () => {
  const association = (vpc: PlannedResource) =>
    planned(
      "aws:route53/resolverFirewallRuleGroupAssociation:ResolverFirewallRuleGroupAssociation",
      "association",
      {},
      inVpc(vpc),
    );
  const config = (vpc: PlannedResource, firewallFailOpen = "DISABLED") =>
    planned(
      "aws:route53/resolverFirewallConfig:ResolverFirewallConfig",
      "config",
      { firewallFailOpen },
      { from: { resourceId: [vpc] } },
    );
  const judge = (...resources: PlannedResource[]) =>
    names(sandboxesNames.judgeStack([ours, theirs, ...resources]));

  test("a firewall that fails closed", () => {
    expect(judge(association(ours), config(ours))).toEqual([]);
  });

  test.each([
    ["none of either", [], 2],
    ["none", [config(ours)], 1],
    ["another network's", [association(theirs), config(ours)], 1],
    ["nothing said of failing", [association(ours)], 1],
    ["one that fails open", [association(ours), config(ours, "ENABLED")], 1],
    ["another network's config", [association(ours), config(theirs)], 1],
  ])("%s", (_, resources, count) => {
    expect(judge(...resources)).toEqual(Array<string>(count).fill("ours"));
  });
});
