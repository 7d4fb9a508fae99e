/**
 * What a group's machines are: of one type, on demand, or mixed; and how many
 * there may be for a while.
 */
import type * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import type { MachineSettings } from "./settings.ts";

/** A version of a launch template. */
interface Template {
  readonly id: pulumi.Input<string>;
  readonly version: pulumi.Input<string>;
}

export function capacity(
  { instanceType, mixed }: Pick<MachineSettings, "instanceType" | "mixed">,
  template: Template,
): Pick<
  aws.autoscaling.GroupArgs,
  "launchTemplate" | "mixedInstancesPolicy" | "capacityRebalance"
> {
  if (!mixed) return { launchTemplate: { ...template } };
  return {
    mixedInstancesPolicy: {
      launchTemplate: {
        launchTemplateSpecification: {
          launchTemplateId: template.id,
          version: template.version,
        },
        overrides: [instanceType, ...mixed.instanceTypes].map((type) => ({
          instanceType: type,
        })),
      },
      instancesDistribution: {
        onDemandBaseCapacity: mixed.onDemandBase,
        onDemandPercentageAboveBaseCapacity: 100 - mixed.spotPercentage,
        // In the order of the list.
        onDemandAllocationStrategy: "prioritized",
        // https://docs.aws.amazon.com/autoscaling/ec2/userguide/allocation-strategies.html
        spotAllocationStrategy: "price-capacity-optimized",
      },
    },
    // A machine that AWS is about to take back is replaced before it goes.
    capacityRebalance: true,
  };
}

type Sizes = Pick<MachineSettings, "minimum" | "maximum">;

/**
 * How many machines more there may be while new ones take the place of old
 * ones, in percent. Where machines have public addresses that stay, there is
 * one for each of them.
 */
export function spareShare(
  { minimum, maximum }: Sizes,
  havePublicAddresses: boolean,
): number {
  return havePublicAddresses ? Math.floor((100 * minimum) / maximum) : 100;
}

/**
 * How many public addresses stay: as many as there can be machines, and those
 * that come before others go.
 */
export function publicAddressCount({ minimum, maximum }: Sizes): number {
  return maximum + minimum;
}
