import { expect, test } from "vitest";
import { capacity } from "../../../infra/platforms/aws/capacity.ts";

const template = { id: "lt-1", version: "2" };

test("machines are of one type, and on demand", () => {
  expect(
    capacity({ instanceType: "c7g.medium", mixed: undefined }, template),
  ).toEqual({ launchTemplate: template });
});

test("mixed ones: a base on demand, and of the rest a part on spot capacity", () => {
  const mixed = {
    onDemandBase: 1,
    spotPercentage: 70,
    instanceTypes: ["c6g.medium", "m7g.medium"],
  };
  expect(capacity({ instanceType: "c7g.medium", mixed }, template)).toEqual({
    mixedInstancesPolicy: {
      launchTemplate: {
        launchTemplateSpecification: { launchTemplateId: "lt-1", version: "2" },
        overrides: [
          { instanceType: "c7g.medium" },
          { instanceType: "c6g.medium" },
          { instanceType: "m7g.medium" },
        ],
      },
      instancesDistribution: {
        onDemandBaseCapacity: 1,
        onDemandPercentageAboveBaseCapacity: 30,
        onDemandAllocationStrategy: "prioritized",
        spotAllocationStrategy: "price-capacity-optimized",
      },
    },
    capacityRebalance: true,
  });
});
