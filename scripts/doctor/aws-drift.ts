/** Whether the machines are as the last `pulumi up` made them. */
import {
  DescribeLaunchTemplatesCommand,
  type EC2Client,
} from "@aws-sdk/client-ec2";
import type { MachineSettings } from "../../infra/platforms/aws/settings.ts";
import { spareShare } from "../../infra/platforms/aws/capacity.ts";
import type { MachineGroup } from "../deployments/aws-groups.ts";
import type { AwsDeployment } from "../deployments/aws.ts";
import { staying } from "./aws-room.ts";
import { type Row, bad, good } from "./row.ts";

/** @throws Error when the account may not ask, or a launch template is gone */
export async function driftRows(
  { aws, config, name }: AwsDeployment,
  client: EC2Client,
  groups: readonly MachineGroup[],
): Promise<Row[]> {
  const { LaunchTemplates = [] } =
    groups.length === 0
      ? {}
      : await client.send(
          new DescribeLaunchTemplatesCommand({
            LaunchTemplateIds: groups.map(({ template }) => template.id),
          }),
        );
  const kinds = [
    ["edges", aws.edge],
    ...(config.egress ? [["gateways", aws.gateway] as const] : []),
  ] as const;
  return kinds.flatMap(([of, settings]) => {
    const found = groups.filter((group) => group.of === of);
    if (found.length === 0) {
      return bad(
        `${of}, drift`,
        "no Auto Scaling group has its machines in the stack's target groups",
        `pulumi up --refresh --stack ${name} makes it again`,
      );
    }
    return found.map((group) => {
      const { LatestVersionNumber } =
        LaunchTemplates.find(
          ({ LaunchTemplateId }) => LaunchTemplateId === group.template.id,
        ) ?? {};
      return driftRow(group, {
        ...{ settings, stack: name, region: aws.region },
        latest: String(LatestVersionNumber),
      });
    });
  });
}

export interface Deployed {
  /** As the stack file has them. */
  readonly settings: Pick<MachineSettings, "minimum" | "maximum">;
  /** Newest version of the group's launch template, which `up` gives the group. */
  readonly latest: string;
  readonly stack: string;
  readonly region: string;
}

/** States of a refresh that is under way. */
const running = ["Pending", "InProgress", "Baking"];

export function driftRow(group: MachineGroup, deployed: Deployed): Row {
  const { name, of, template, refresh } = group;
  const { stack, region } = deployed;
  const what = `${of}, drift`;
  const changed = changes(group, deployed);
  if (changed.length > 0) {
    return bad(
      what,
      `changed by hand, or not deployed yet: ${changed.join("; ")}`,
      `pulumi up --refresh --stack ${stack} puts it in place again; to keep a change, write it into the stack file first`,
    );
  }
  const version = `version ${template.version} of ${template.id}`;
  const old = staying(group).filter(
    (machine) =>
      machine.template.id !== template.id ||
      machine.template.version !== template.version,
  );
  if (old.length === 0) {
    return good(
      what,
      `as it was deployed: all machines on ${version}. To compare the whole stack: pulumi refresh --stack ${stack} --preview-only --diff`,
    );
  }
  const behind = `not on ${version}: ${old.map(({ id, template }) => `${id} (version ${template.version})`).join(", ")}`;
  if (refresh?.Status && running.includes(refresh.Status)) {
    return good(
      what,
      `${behind}; being replaced, ${String(refresh.PercentageComplete ?? 0)} %`,
    );
  }
  const preferences = JSON.stringify({
    MinHealthyPercentage: 100,
    MaxHealthyPercentage: 100 + spareShare(group, of === "gateways"),
    SkipMatching: true,
  });
  return bad(
    what,
    [
      behind,
      `last instance refresh: ${refresh?.Status ?? "none"}`,
      ...(refresh?.StatusReason ? [refresh.StatusReason] : []),
    ].join("; "),
    `if new machines do not become healthy, their system log and log group say why, and pulumi up of the previous commit goes back; to replace the old ones now: aws autoscaling start-instance-refresh --region ${region} --auto-scaling-group-name ${name} --preferences '${preferences}'`,
  );
}

function changes(
  { name, minimum, maximum, template, suspended }: MachineGroup,
  { settings, latest, region }: Deployed,
): string[] {
  return [
    ...(minimum === settings.minimum
      ? []
      : [`minimum ${String(minimum)} instead of ${String(settings.minimum)}`]),
    ...(maximum === settings.maximum
      ? []
      : [`maximum ${String(maximum)} instead of ${String(settings.maximum)}`]),
    ...(template.version === latest
      ? []
      : [
          `new machines get version ${template.version} of ${template.id}, whose newest is ${latest}`,
        ]),
    ...(suspended.length === 0
      ? []
      : [
          `suspended: ${suspended.join(", ")} (aws autoscaling resume-processes --region ${region} --auto-scaling-group-name ${name})`,
        ]),
  ];
}
