/** The rows of a stack of the platform aws. */
import {
  type AlarmType,
  CloudWatchClient,
  ListTagsForResourceCommand,
  paginateDescribeAlarms,
} from "@aws-sdk/client-cloudwatch";
import { EC2Client } from "@aws-sdk/client-ec2";
import { AwsQueryProtocol } from "@aws-sdk/core/protocols";
import {
  type AwsDeployment,
  type TargetGroup,
  hasTags,
} from "../deployments/aws.ts";
import { addressRows } from "./aws-addresses.ts";
import { driftRows } from "./aws-drift.ts";
import { quotaRows } from "./aws-quotas.ts";
import { edgeRows } from "./edge-rows.ts";
import { type Row, bad, good, lookAt, warning } from "./row.ts";

/** Whoever looks may see only what they are allowed to. */
const mayLook =
  "the stack's account, and a role that may look at it? docs/aws-doctor.md has its rights";

export async function awsStackRows(deployment: AwsDeployment): Promise<Row[]> {
  const { region } = deployment.aws;
  const cloudWatch = new CloudWatchClient({
    region,
    // AWS takes its JSON as well; the tests' stand-in for it does not.
    protocol: AwsQueryProtocol,
  });
  const rows = await Promise.all([
    // Who made the account is known by the certificate; its key stays in AWS.
    edgeRows(deployment, "balancer", () => Promise.resolve([])),
    lookAt("machines", () => machineRows(deployment), mayLook),
    lookAt("machine groups", () => groupRows(deployment, cloudWatch), mayLook),
    lookAt("alarms", () => alarmRow(deployment, cloudWatch), mayLook),
  ]);
  return rows.flat();
}

/** Whether the groups are as deployed, and have room for new machines. */
async function groupRows(
  deployment: AwsDeployment,
  cloudWatch: CloudWatchClient,
): Promise<Row[]> {
  const ec2 = new EC2Client({ region: deployment.aws.region });
  const groups = await deployment.machineGroups();
  const rows = await Promise.all([
    lookAt("drift", () => driftRows(deployment, ec2, groups), mayLook),
    addressRows(deployment, ec2, groups, mayLook),
    lookAt(
      "quotas",
      () => quotaRows(deployment, { ec2, cloudWatch }, groups),
      mayLook,
    ),
  ]);
  return rows.flat();
}

async function machineRows({
  aws,
  config,
  targetGroups,
}: AwsDeployment): Promise<Row[]> {
  const groups = await targetGroups();
  const kinds = [
    ["edges", aws.edge.minimum],
    ...(config.egress ? [["gateways", aws.gateway.minimum] as const] : []),
  ] as const;
  return kinds.flatMap(([of, minimum]) => {
    const found = groups.filter((group) => group.of === of);
    return found.length > 0
      ? found.map((group) => groupRow(group, minimum))
      : [
          bad(
            of,
            "no target group has the stack's tags",
            "pulumi up makes them; is this the stack's account and region?",
          ),
        ];
  });
}

function groupRow({ name, of, targets }: TargetGroup, minimum: number): Row {
  const what = `${of}, ${name}`;
  const ill = targets.filter(({ isHealthy }) => !isHealthy);
  const healthy = targets.length - ill.length;
  const found = [
    `${String(healthy)} of ${String(targets.length)} healthy, ${String(minimum)} wanted`,
    ...ill.map(({ id, state }) => `${id} ${state}`),
  ].join("; ");
  const fix =
    "what a machine lacks, its agent says in the log group of its kind; one that does not boot says why in its system log (EC2, Get system log)";
  if (healthy < minimum) return bad(what, found, fix);
  return ill.length > 0 ? warning(what, found, fix) : good(what, found);
}

async function alarmRow(
  { tags }: AwsDeployment,
  client: CloudWatchClient,
): Promise<Row> {
  const what = "alarms";
  const ringing: string[] = [];
  const query = {
    StateValue: "ALARM" as const,
    AlarmTypes: ["MetricAlarm", "CompositeAlarm"] satisfies AlarmType[],
  };
  for await (const page of paginateDescribeAlarms({ client }, query)) {
    for (const alarm of [
      ...(page.MetricAlarms ?? []),
      ...(page.CompositeAlarms ?? []),
    ]) {
      const { Tags = [] } = await client.send(
        new ListTagsForResourceCommand({ ResourceARN: alarm.AlarmArn }),
      );
      if (hasTags(Tags, tags)) {
        ringing.push(
          `${alarm.AlarmName ?? ""}: ${alarm.AlarmDescription ?? ""}`,
        );
      }
    }
  }
  return ringing.length === 0
    ? good(what, "none rings")
    : bad(
        what,
        ringing.join("; "),
        "each says what it means, and where to look",
      );
}
