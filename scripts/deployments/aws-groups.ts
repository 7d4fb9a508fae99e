/** The Auto Scaling groups of a stack, and their machines. */
import {
  type AutoScalingClient,
  type AutoScalingGroup,
  DescribeInstanceRefreshesCommand,
  type InstanceRefresh,
  type LaunchTemplateSpecification,
  paginateDescribeAutoScalingGroups,
} from "@aws-sdk/client-auto-scaling";
import type { TargetGroup } from "./aws.ts";
import type { LogQuery } from "./deployment.ts";

export interface MachineGroup {
  readonly name: string;
  readonly of: LogQuery["of"];
  readonly minimum: number;
  readonly maximum: number;
  /** How many there should be now. */
  readonly desired: number;
  /** One a zone. */
  readonly subnetIds: readonly string[];
  /** What the next machine boots from. */
  readonly template: Template;
  /** Processes of Auto Scaling that somebody stopped, "Launch" for example. */
  readonly suspended: readonly string[];
  /** Those that leave are still among them. */
  readonly machines: readonly GroupMachine[];
  /** The last instance refresh; absent before the first. */
  readonly refresh: InstanceRefresh | undefined;
}

export interface GroupMachine {
  /** Id of the instance. */
  readonly id: string;
  readonly zone: string;
  readonly isLeaving: boolean;
  /** What it booted from. */
  readonly template: Template;
}

/** A version of a launch template, which nobody can change. */
export interface Template {
  readonly id: string;
  /** A number; a group may also have "$Latest". */
  readonly version: string;
}

/**
 * Those whose machines are in the stack's target groups: Pulumi's provider for
 * AWS gives a group itself no default tags.
 */
export async function readMachineGroups(
  client: AutoScalingClient,
  targetGroups: readonly TargetGroup[],
): Promise<MachineGroup[]> {
  const found: MachineGroup[] = [];
  for await (const page of paginateDescribeAutoScalingGroups({ client }, {})) {
    for (const group of page.AutoScalingGroups ?? []) {
      const target = targetGroups.find(({ arn }) =>
        group.TargetGroupARNs?.includes(arn),
      );
      if (!target) continue;
      const { InstanceRefreshes = [] } = await client.send(
        new DescribeInstanceRefreshesCommand({
          AutoScalingGroupName: group.AutoScalingGroupName,
          MaxRecords: 1,
        }),
      );
      found.push(machineGroup(group, target.of, InstanceRefreshes[0]));
    }
  }
  return found;
}

function machineGroup(
  group: AutoScalingGroup,
  of: LogQuery["of"],
  refresh: InstanceRefresh | undefined,
): MachineGroup {
  return {
    ...{ name: group.AutoScalingGroupName ?? "", of, refresh },
    minimum: group.MinSize ?? 0,
    maximum: group.MaxSize ?? 0,
    desired: group.DesiredCapacity ?? 0,
    subnetIds: (group.VPCZoneIdentifier ?? "").split(",").filter(Boolean),
    template: template(
      group.LaunchTemplate ??
        group.MixedInstancesPolicy?.LaunchTemplate?.LaunchTemplateSpecification,
    ),
    suspended: (group.SuspendedProcesses ?? []).map(
      ({ ProcessName = "" }) => ProcessName,
    ),
    machines: (group.Instances ?? []).map((instance) => ({
      id: instance.InstanceId ?? "",
      zone: instance.AvailabilityZone ?? "",
      isLeaving: instance.LifecycleState?.startsWith("Terminat") ?? false,
      template: template(instance.LaunchTemplate),
    })),
  };
}

/** Where it names no version it means the default one. */
function template(of: LaunchTemplateSpecification | undefined): Template {
  return {
    id: of?.LaunchTemplateId ?? "",
    version: of?.Version ?? "$Default",
  };
}
