/** AWS' quotas that can stop the stack from replacing or adding a machine. */
import {
  type CloudWatchClient,
  GetMetricStatisticsCommand,
} from "@aws-sdk/client-cloudwatch";
import {
  DescribeAddressesCommand,
  DescribeInstanceTypesCommand,
  type EC2Client,
  type _InstanceType,
} from "@aws-sdk/client-ec2";
import {
  GetAWSDefaultServiceQuotaCommand,
  GetServiceQuotaCommand,
  NoSuchResourceException,
  type ServiceQuota,
  ServiceQuotasClient,
} from "@aws-sdk/client-service-quotas";
import { publicAddressCount } from "../../infra/platforms/aws/capacity.ts";
import type {
  AwsSettings,
  MachineSettings,
} from "../../infra/platforms/aws/settings.ts";
import type { MachineGroup } from "../deployments/aws-groups.ts";
import { type AwsDeployment, hasTags } from "../deployments/aws.ts";
import { roomRow, sizesOf, staying } from "./aws-room.ts";
import { type Row, bad, good, warning } from "./row.ts";

/** Their codes: https://docs.aws.amazon.com/general/latest/gr/ec2-service.html */
const quotas = {
  onDemand: { code: "L-1216C47A", name: "vCPUs on demand" },
  spot: { code: "L-34B43A08", name: "vCPUs on spot capacity" },
  addresses: { code: "L-0263D0A3", name: "Elastic IPs" },
} as const;

export interface QuotaClients {
  readonly ec2: EC2Client;
  readonly cloudWatch: CloudWatchClient;
}

/** @throws Error when the account may not ask */
export async function quotaRows(
  deployment: AwsDeployment,
  { ec2, cloudWatch }: QuotaClients,
  groups: readonly MachineGroup[],
): Promise<Row[]> {
  const { aws } = deployment;
  const { region } = aws;
  const client = new ServiceQuotasClient({ region });
  const { counted, others } = await machineTypes(ec2, aws, groups);
  const isMixed = counted.some(({ mixed }) => mixed !== undefined);
  const kinds = ["onDemand", ...(isMixed ? (["spot"] as const) : [])] as const;
  const rows = await Promise.all([
    ...kinds.map(async (kind) => {
      const quota = await readQuota(client, quotas[kind].code);
      const used = await usage(cloudWatch, quota, new Date());
      return vcpuRow(kind, { allowed: quota.Value, used }, counted, region);
    }),
    elasticIpRow(deployment, client, ec2),
  ]);
  return [...rows, ...others.map((type) => otherFamilyRow(type, region))];
}

async function elasticIpRow(
  { aws, config, tags }: AwsDeployment,
  client: ServiceQuotasClient,
  ec2: EC2Client,
): Promise<Row> {
  const { Value: allowed = 0 } = await readQuota(client, quotas.addresses.code);
  const { Addresses = [] } = await ec2.send(new DescribeAddressesCommand({}));
  const counted = Addresses.filter(
    ({ ServiceManaged }) => ServiceManaged === undefined,
  );
  return addressQuotaRow({
    ...{ allowed, region: aws.region, used: counted.length },
    own: counted.filter(({ Tags = [] }) => hasTags(Tags, tags)).length,
    wanted: aws.zones + (config.egress ? publicAddressCount(aws.gateway) : 0),
  });
}

/** A group, and what its machines are. */
export type CountedGroup = MachineGroup & {
  readonly mixed: MachineSettings["mixed"];
  /** Of its largest type, as AWS counts them. */
  readonly vcpus: number;
};

/**
 * Whether the quotas of standard instances count a type: families A, C, D, H, I,
 * M, R, T and Z, but not hpc6a or inf1, say.
 */
export function isStandard(type: string): boolean {
  return /^([acdhimrtz]|im|is)\d/.test(type);
}

export function otherFamilyRow(type: string, region: string): Row {
  return warning(
    `quota, vCPUs of ${type}`,
    "is not looked at: it is of no standard family",
    `aws service-quotas list-service-quotas --region ${region} --service-code ec2 has the quota of its family`,
  );
}

async function machineTypes(
  client: EC2Client,
  aws: AwsSettings,
  groups: readonly MachineGroup[],
): Promise<{ counted: CountedGroup[]; others: string[] }> {
  const typed = groups.map((group) => {
    const { instanceType, mixed } =
      group.of === "edges" ? aws.edge : aws.gateway;
    const types = [instanceType, ...(mixed?.instanceTypes ?? [])];
    return { group, mixed, types };
  });
  const all = [...new Set(typed.flatMap(({ types }) => types))];
  // Asked about none, AWS tells of all.
  if (all.length === 0) return { counted: [], others: [] };
  const { InstanceTypes = [] } = await client.send(
    new DescribeInstanceTypesCommand({
      InstanceTypes: all as _InstanceType[],
    }),
  );
  const vcpus = (type: string) =>
    InstanceTypes.find(({ InstanceType }) => InstanceType === type)?.VCpuInfo
      ?.DefaultVCpus ?? 0;
  return {
    others: all.filter((type) => !isStandard(type)),
    counted: typed.map(({ group, mixed, types }) => ({
      ...{ ...group, mixed },
      vcpus: Math.max(0, ...types.filter(isStandard).map(vcpus)),
    })),
  };
}

/** The applied quota; the default where AWS has only that. */
async function readQuota(
  client: ServiceQuotasClient,
  QuotaCode: string,
): Promise<ServiceQuota> {
  const asked = { ServiceCode: "ec2", QuotaCode };
  try {
    const { Quota = {} } = await client.send(new GetServiceQuotaCommand(asked));
    return Quota;
  } catch (error) {
    if (!(error instanceof NoSuchResourceException)) throw error;
    const { Quota = {} } = await client.send(
      new GetAWSDefaultServiceQuotaCommand(asked),
    );
    return Quota;
  }
}

/** How old a figure may be, in ms: AWS publishes one every few minutes. */
const usageWindow = 30 * 60_000;

/**
 * What AWS itself counts for a quota, the whole account's.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Quotas-Visualize-Alarms.html
 */
async function usage(
  client: CloudWatchClient,
  { UsageMetric }: ServiceQuota,
  now: Date,
): Promise<number | undefined> {
  if (!UsageMetric) return undefined;
  const { Datapoints = [] } = await client.send(
    new GetMetricStatisticsCommand({
      Namespace: UsageMetric.MetricNamespace,
      MetricName: UsageMetric.MetricName,
      Dimensions: Object.entries(UsageMetric.MetricDimensions ?? {}).map(
        ([Name, Value]) => ({ Name, Value }),
      ),
      StartTime: new Date(now.getTime() - usageWindow),
      EndTime: now,
      Period: 300,
      Statistics: ["Maximum"],
    }),
  );
  const [newest] = Datapoints.toSorted(
    (one, other) =>
      (other.Timestamp?.getTime() ?? 0) - (one.Timestamp?.getTime() ?? 0),
  );
  return newest?.Maximum;
}

/** Of so many machines, how many are of a kind: infra/platforms/aws/capacity.ts. */
function ofKind(
  kind: "onDemand" | "spot",
  count: number,
  mixed: MachineSettings["mixed"],
): number {
  const base = Math.min(count, mixed?.onDemandBase ?? count);
  // AWS rounds up what is on demand.
  const spot = Math.floor(
    ((count - base) * (mixed?.spotPercentage ?? 0)) / 100,
  );
  return kind === "spot" ? spot : count - spot;
}

export function vcpuRow(
  kind: "onDemand" | "spot",
  quota: {
    readonly allowed: number | undefined;
    /** By the whole account; absent where CloudWatch has no figure. */
    readonly used: number | undefined;
  },
  groups: readonly CountedGroup[],
  region: string,
): Row {
  const { name, code } = quotas[kind];
  const { allowed = 0 } = quota;
  const vcpus = (size: (group: MachineGroup) => number) =>
    groups.reduce(
      (sum, group) =>
        sum + ofKind(kind, size(group), group.mixed) * group.vcpus,
      0,
    );
  const own = vcpus((group) => staying(group).length);
  const used = quota.used ?? own;
  const replaced = vcpus((group) => sizesOf(group).replaced) - own;
  const most = vcpus((group) => sizesOf(group).most) - own;
  const row = roomRow({
    what: `quota, ${name}`,
    found: `${String(used)} of ${String(allowed)} used`,
    ...{ free: allowed - used, replaced, most },
    fix: `beyond the quota no machine starts: ${increase(code, used + Math.max(replaced, most), region)}`,
  });
  if (quota.used !== undefined || row.state === "bad") return row;
  return warning(
    row.what,
    `${row.found} by the stack; CloudWatch has no figure of the whole account's in the last half hour`,
    `look at the quota's page: https://${region}.console.aws.amazon.com/servicequotas/home/services/ec2/quotas/${code}`,
  );
}

export function addressQuotaRow({
  allowed,
  used,
  own,
  wanted,
  region,
}: {
  readonly allowed: number;
  /** By the whole account. */
  readonly used: number;
  /** By the stack. */
  readonly own: number;
  /** By the stack, as its file is. */
  readonly wanted: number;
  readonly region: string;
}): Row {
  const { name, code } = quotas.addresses;
  const what = `quota, ${name}`;
  const more = Math.max(0, wanted - own);
  const found = `${String(used)} of ${String(allowed)} used; the stack has ${String(own)} of its ${String(wanted)}`;
  return more > 0 && allowed - used < more
    ? bad(
        what,
        found,
        `pulumi up takes ${String(more)} more, and fails: ${increase(code, used + more, region)}`,
      )
    : good(what, found);
}

function increase(code: string, value: number, region: string): string {
  return `aws service-quotas request-service-quota-increase --region ${region} --service-code ec2 --quota-code ${code} --desired-value ${String(value)}`;
}
