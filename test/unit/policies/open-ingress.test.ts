import { describe, expect, test } from "vitest";
import type { PlannedResource } from "../../../infra/policies/resources.ts";
import {
  isOpen,
  openIngress,
} from "../../../infra/policies/security-groups.ts";
import { names, planned } from "./planned.ts";

const group = planned("aws:ec2/securityGroup:SecurityGroup", "door");
const balancer = (inputs = {}) =>
  planned("aws:lb/loadBalancer:LoadBalancer", "balancer", inputs, {
    from: { securityGroups: [group] },
  });
const https = { ipProtocol: "tcp", fromPort: 443, toPort: 443 };
const all = { cidrIpv4: "0.0.0.0/0" };
const rule = (inputs: object, of = group) =>
  planned(
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
    "rule",
    { ...inputs },
    { from: { securityGroupId: [of] } },
  );
const judge = (...resources: PlannedResource[]) =>
  names(openIngress.judgeStack(resources));

describe("at the front door", () => {
  test.each([
    ["TCP 443 for everybody", { ...https, ...all }],
    ["TCP 443 for everybody's IPv6", { ...https, cidrIpv6: "::/0" }],
    ["TCP 80 for everybody", { ...https, ...all, fromPort: 80, toPort: 80 }],
    [
      "port 22 for a private network",
      { ...https, cidrIpv4: "10.0.0.0/8", fromPort: 22, toPort: 22 },
    ],
  ])("%s may come in", (_, inputs) => {
    expect(judge(group, balancer(), rule(inputs))).toEqual([]);
  });

  test.each([
    ["port 22", { ...https, ...all, fromPort: 22, toPort: 22 }],
    [
      "a range that begins with 80",
      { ...https, ...all, fromPort: 80, toPort: 443 },
    ],
    ["UDP 443", { ...https, ...all, ipProtocol: "udp" }],
    ["every protocol", { ipProtocol: "-1", ...all }],
    [
      "port 22 over IPv6",
      { ...https, cidrIpv6: "::/0", fromPort: 22, toPort: 22 },
    ],
    [
      "port 22 for half of everybody",
      { ...https, cidrIpv4: "128.0.0.0/1", fromPort: 22, toPort: 22 },
    ],
  ])("%s may not", (_, inputs) => {
    expect(judge(group, balancer(), rule(inputs))).toEqual(["rule"]);
  });
});

describe("a group is the front door's because of what is in it", () => {
  const open = rule({ ...https, ...all });

  test("nothing in it", () => {
    expect(judge(group, open)).toEqual(["rule"]);
  });

  test("a load balancer that does not face the internet", () => {
    expect(judge(group, balancer({ internal: true }), open)).toEqual(["rule"]);
  });

  test.each([
    ["aws:ec2/launchTemplate:LaunchTemplate", "networkInterfaces"],
    ["aws:ec2/instance:Instance", "vpcSecurityGroupIds"],
  ])("a load balancer and a %s", (type, property) => {
    const machine = planned(
      type,
      "machine",
      {},
      { from: { [property]: [group] } },
    );
    expect(judge(group, balancer(), machine, open)).toEqual(["rule"]);
  });

  test("a rule of a machine's group that names the door's group as its source", () => {
    const machines = planned("aws:ec2/securityGroup:SecurityGroup", "machines");
    const from = {
      securityGroupId: [machines],
      referencedSecurityGroupId: [group],
    };
    const inner = planned(
      "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
      "inner",
      https,
      { from },
    );
    expect(judge(group, machines, balancer(), inner, open)).toEqual([]);
  });

  test("a group that the stack does not know", () => {
    const foreign = planned(
      "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
      "foreign",
      { ...https, ...all, securityGroupId: "sg-1" },
    );
    expect(judge(group, balancer(), foreign)).toEqual(["foreign"]);
  });

  test("another group's rule", () => {
    const machines = planned("aws:ec2/securityGroup:SecurityGroup", "machines");
    const theirs = rule({ ...https, ...all }, machines);
    expect(judge(group, machines, balancer(), theirs)).toEqual(["rule"]);
  });
});

describe("however the rule is written", () => {
  const inline = {
    ...{ protocol: "tcp", fromPort: 22, toPort: 22 },
    cidrBlocks: ["10.0.0.0/8", "0.0.0.0/0"],
  };

  test.each([
    ["aws:ec2/securityGroup:SecurityGroup", { ingress: [inline] }],
    [
      "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
      { ingress: [inline] },
    ],
    [
      "aws:ec2/securityGroupRule:SecurityGroupRule",
      { type: "ingress", ...inline },
    ],
  ])("in a %s", (type, inputs) => {
    expect(judge(planned(type, "it", inputs))).toEqual(["it"]);
  });

  test("for everybody's IPv6", () => {
    const ingress = [{ ...inline, cidrBlocks: [], ipv6CidrBlocks: ["::/0"] }];
    const it = planned("aws:ec2/securityGroup:SecurityGroup", "it", {
      ingress,
    });
    expect(judge(it)).toEqual(["it"]);
  });

  test.each([
    ["aws:ec2/securityGroup:SecurityGroup", { egress: [inline], ingress: [] }],
    [
      "aws:ec2/securityGroupRule:SecurityGroupRule",
      { type: "egress", ...inline },
    ],
  ])("what goes out of a %s is not meant", (type, inputs) => {
    expect(judge(planned(type, "it", inputs))).toEqual([]);
  });
});

test.each([
  ["0.0.0.0/0", true],
  ["128.0.0.0/1", true],
  ["10.0.0.0/8", false],
  ["10.80.0.0/16", false],
  ["0.0.0.0", false],
  ["::/0", true],
  ["2000::/3", true],
  ["fc00::/7", false],
  ["2001:db8::/32", false],
])("%s is open: %s", (cidr, expected) => {
  expect(isOpen(cidr)).toBe(expected);
});
