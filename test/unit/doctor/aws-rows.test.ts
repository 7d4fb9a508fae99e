import { describe, expect, test } from "vitest";
import type { MachineGroup } from "../../../scripts/deployments/aws-groups.ts";
import {
  publicAddressRow,
  subnetRow,
} from "../../../scripts/doctor/aws-addresses.ts";
import { driftRow } from "../../../scripts/doctor/aws-drift.ts";
import {
  addressQuotaRow,
  isStandard,
  otherFamilyRow,
  vcpuRow,
} from "../../../scripts/doctor/aws-quotas.ts";
import { sizesOf } from "../../../scripts/doctor/aws-room.ts";

const region = "eu-central-1";
const template = { id: "lt-1", version: "7" };

/** Machines in zones, "a" and "b" for example. */
function group(
  of: MachineGroup["of"],
  zones: string,
  change: Partial<MachineGroup> = {},
): MachineGroup {
  return {
    ...{ of, name: `aws-${of}`, minimum: 2, maximum: 6, template },
    desired: zones.length,
    subnetIds: ["subnet-a", "subnet-b"],
    ...{ suspended: [], refresh: undefined },
    machines: [...zones].map((zone, index) => ({
      ...{ id: `i-${of}-${String(index)}`, zone, isLeaving: false, template },
    })),
    ...change,
  };
}

describe("how large a group gets while its machines are replaced", () => {
  test.each([
    ["edges: twice as many", "edges", "ab", { replaced: 4, most: 12 }],
    // spareShare: a third more.
    [
      "gateways: as many as have addresses",
      "gateways",
      "abab",
      { replaced: 5, most: 7 },
    ],
    ["one comes in any case", "gateways", "ab", { replaced: 3, most: 7 }],
  ] as const)("%s", (_, of, zones, sizes) => {
    expect(sizesOf(group(of, zones))).toEqual(sizes);
  });
});

describe("a subnet", () => {
  const row = (free: number, groups: readonly MachineGroup[]) =>
    subnetRow(
      {
        ...{ SubnetId: "subnet-a", AvailabilityZone: "a" },
        ...{ CidrBlock: "10.0.0.0/28", AvailableIpAddressCount: free },
      },
      groups,
      region,
    );
  // One edge more, of two; one gateway more, of three in two zones.
  const both = [group("edges", "ab"), group("gateways", "ab")];

  test.each([
    [8, "good"],
    [7, "warning"],
    [2, "warning"],
    [1, "bad"],
    [0, "bad"],
  ])("with %i free addresses is %s", (free, state) => {
    expect(row(free, both)).toMatchObject({
      state,
      found: `${String(free)} addresses of 10.0.0.0/28 free in a; replacing the machines needs 2, the maximum size 8`,
    });
  });

  test("counts those of its zone only, and not those that leave", () => {
    const edges = group("edges", "aab");
    expect(row(20, [edges]).found).toContain("needs 1,");
    const leaving = edges.machines.map((machine) => ({
      ...{ ...machine, isLeaving: true },
    }));
    expect(row(20, [{ ...edges, machines: leaving }]).found).toContain(
      "needs 3,",
    );
  });

  test("does not care for groups elsewhere", () => {
    const elsewhere = group("edges", "bc", { subnetIds: ["subnet-b"] });
    expect(row(0, [elsewhere])).toMatchObject({ state: "good" });
  });
});

describe("public addresses of gateways", () => {
  const wanted = Array.from({ length: 8 }, (_, n) => `192.0.2.${String(n)}`);
  const gateways = [group("gateways", "ab")];
  /** The first ones belong to these instances. */
  const row = (...instances: string[]) =>
    publicAddressRow(
      wanted,
      wanted.map((PublicIp, index) => ({
        PublicIp,
        ...(instances[index] === undefined
          ? {}
          : {
              InstanceId: instances[index],
              AssociationId: `a-${String(index)}`,
            }),
      })),
      gateways,
      region,
    );
  const own = ["i-gateways-0", "i-gateways-1"];
  const others = (count: number) => Array.from({ length: count }, () => "i-x");

  test("are taken by gateways", () => {
    expect(row(...own)).toMatchObject({
      state: "good",
      found: "2 of 8 taken; replacing the machines needs 1, the maximum size 5",
    });
  });

  test.each([
    [1, "warning"],
    [2, "warning"],
    [5, "warning"],
    [6, "bad"],
  ])("are taken by %i strangers: %s", (count, state) => {
    const found = row(...own, ...others(count));
    expect(found.state).toBe(state);
    expect(found.found).toContain(
      "by others than the stack's gateways: 192.0.2.2 (i-x)",
    );
    expect(found.fix).toContain("--association-id a-2");
  });

  test("are not all the account's any more", () => {
    expect(publicAddressRow(wanted, [], gateways, region)).toMatchObject({
      state: "bad",
      found: `changed by hand: ${wanted.join(", ")} released`,
    });
  });
});

describe("a quota of vCPUs", () => {
  const counted = (change = {}) => [
    { ...group("edges", "ab"), mixed: undefined, vcpus: 2, ...change },
  ];
  const figures = (allowed: number, used?: number) => ({ allowed, used });

  test.each([
    [24, 4, "good"],
    [23, 4, "warning"],
    [8, 4, "warning"],
    [7, 4, "bad"],
    [8, 5, "bad"],
  ])("of %i, of which %i are used, is %s", (allowed, used, state) => {
    const row = vcpuRow("onDemand", figures(allowed, used), counted(), region);
    expect(row).toMatchObject({
      state,
      found: `${String(used)} of ${String(allowed)} used; replacing the machines needs 4, the maximum size 20`,
    });
    if (state === "good") return;
    expect(row.fix).toContain(
      `aws service-quotas request-service-quota-increase --region ${region} --service-code ec2 --quota-code L-1216C47A --desired-value ${String(used + 20)}`,
    );
  });

  test("whose use nobody knows is no good one", () => {
    const state = (allowed: number) =>
      vcpuRow("onDemand", figures(allowed), counted(), region).state;
    expect([state(24), state(7)]).toEqual(["warning", "bad"]);
  });

  test("is two where some machines are on spot capacity", () => {
    // A base of one, and half of the rest: 2 and 0 now, 3 and 1, 7 and 5.
    const mixed = counted({
      mixed: { onDemandBase: 1, spotPercentage: 50, instanceTypes: [] },
    });
    const found = (kind: "onDemand" | "spot") =>
      vcpuRow(kind, figures(99, 4), mixed, region).found;
    expect(found("onDemand")).toContain("machines needs 2,");
    expect(found("onDemand")).toContain("maximum size 10");
    expect(found("spot")).toContain("machines needs 2,");
    expect(found("spot")).toContain("maximum size 10");
  });
});

test("types whose quota is another one are named", () => {
  const types =
    "c7g.medium im4gn.large is4gen.medium t4g.small hpc7g.4xlarge inf1.xlarge g5g.xlarge trn1.2xlarge x2gd.medium";
  const others = types.split(" ").filter((type) => !isStandard(type));
  expect(others).toEqual([
    ...["hpc7g.4xlarge", "inf1.xlarge", "g5g.xlarge", "trn1.2xlarge"],
    "x2gd.medium",
  ]);
  expect(otherFamilyRow("g5g.xlarge", region)).toMatchObject({
    what: "quota, vCPUs of g5g.xlarge",
    state: "warning",
  });
});

describe("the quota of Elastic IPs", () => {
  test.each([
    ["all used, and all there", 10, 10, 10, "good"],
    ["one wanted, and one left", 10, 9, 9, "good"],
    ["one wanted, and none left", 10, 10, 9, "bad"],
    ["none wanted, and more used than allowed", 5, 10, 10, "good"],
  ] as const)("%s", (_, allowed, used, own, state) => {
    expect(
      addressQuotaRow({ allowed, used, own, wanted: 10, region }),
    ).toMatchObject({ state });
  });
});

describe("drift", () => {
  const row = (
    change: Partial<MachineGroup>,
    settings = { minimum: 2, maximum: 6 },
  ) =>
    driftRow(group("edges", "ab", change), {
      ...{ settings, latest: "7", stack: "prod", region },
    });
  const machines = group("edges", "ab").machines;
  const [first, second] = machines;
  const old = [
    first,
    second && { ...second, template: { ...template, version: "6" } },
  ].filter((one) => one !== undefined);

  test("there is none", () => {
    expect(row({})).toEqual({
      ...{ what: "edges, drift", state: "good" },
      found:
        "as it was deployed: all machines on version 7 of lt-1. To compare the whole stack: pulumi refresh --stack prod --preview-only --diff",
    });
  });

  test.each([
    ["minimum", { minimum: 1 }, "minimum 1 instead of 2"],
    ["maximum", { maximum: 9 }, "maximum 9 instead of 6"],
    [
      "version",
      { template: { ...template, version: "6" } },
      "new machines get version 6 of lt-1, whose newest is 7",
    ],
    [
      "version by name",
      { template: { ...template, version: "$Latest" } },
      "new machines get version $Latest of lt-1, whose newest is 7",
    ],
    [
      "processes",
      { suspended: ["Launch", "Terminate"] },
      "suspended: Launch, Terminate (aws autoscaling resume-processes --region eu-central-1 --auto-scaling-group-name aws-edges)",
    ],
  ])("of its %s", (_, change, found) => {
    expect(row(change)).toMatchObject({
      state: "bad",
      found: `changed by hand, or not deployed yet: ${found}`,
      fix: "pulumi up --refresh --stack prod puts it in place again; to keep a change, write it into the stack file first",
    });
  });

  test.each([
    [undefined, "bad", "; last instance refresh: none"],
    ["Pending", "good", "; being replaced, 50 %"],
    ["InProgress", "good", "; being replaced, 50 %"],
    ["Baking", "good", "; being replaced, 50 %"],
    ["Failed", "bad", "; last instance refresh: Failed; said why"],
    ["Cancelled", "bad", "; last instance refresh: Cancelled; said why"],
    // Ended well, and a machine is old all the same.
    ["Successful", "bad", "; last instance refresh: Successful; said why"],
  ] as const)(
    "of a machine, with a refresh that is %s",
    (Status, state, end) => {
      const refresh = Status && {
        ...{ Status, PercentageComplete: 50, StatusReason: "said why" },
      };
      expect(row({ machines: old, refresh })).toMatchObject({
        state,
        found: `not on version 7 of lt-1: i-edges-1 (version 6)${end}`,
      });
    },
  );

  test("of a machine that leaves is none", () => {
    const leaving = old.map((machine) => ({ ...machine, isLeaving: true }));
    expect(row({ machines: leaving }).state).toBe("good");
  });
});
