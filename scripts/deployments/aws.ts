/**
 * A stack of the platform aws, asked by AWS' own API with the credentials and
 * the region that its SDK finds. Nobody logs in to its machines.
 */
import { AutoScalingClient } from "@aws-sdk/client-auto-scaling";
import {
  CloudWatchLogsClient,
  FilterLogEventsCommand,
  ResourceNotFoundException,
} from "@aws-sdk/client-cloudwatch-logs";
import {
  ElasticLoadBalancingV2Client,
  DescribeTagsCommand,
  DescribeTargetHealthCommand,
  paginateDescribeTargetGroups,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { isIPv4 } from "node:net";
import * as z from "zod";
import { SecretsManagerStore } from "../../infra/machine/store/secrets-manager.ts";
import type { AwsSettings } from "../../infra/platforms/aws/settings.ts";
import { type MachineGroup, readMachineGroups } from "./aws-groups.ts";
import { executeByApi } from "./daytona-api.ts";
import type { Deployment, LogQuery, Machine } from "./deployment.ts";
import { type JournalEntry, json } from "./journal.ts";
import { checkedStore } from "./live-state.ts";

export interface AwsDeploymentArgs extends Pick<
  Deployment,
  "name" | "config" | "outputs"
> {
  readonly aws: AwsSettings;
  /** Of Pulumi.yaml; with the stack's it names secrets, logs and tags. */
  readonly project: string;
}

/** Machines behind one port of a balancer. */
export interface TargetGroup {
  readonly arn: string;
  readonly name: string;
  readonly of: LogQuery["of"];
  readonly targets: readonly Target[];
}

export interface Target {
  /** Id of the instance. */
  readonly id: string;
  readonly isHealthy: boolean;
  /** What the balancer says of it: "unhealthy: Target.FailedHealthChecks", say. */
  readonly state: string;
}

export interface AwsDeployment extends Deployment {
  readonly platform: "aws";
  readonly aws: AwsSettings;
  readonly tags: { readonly project: string; readonly stack: string };
  readonly targetGroups: () => Promise<readonly TargetGroup[]>;
  readonly machineGroups: () => Promise<readonly MachineGroup[]>;
}

export function awsDeployment(args: AwsDeploymentArgs): AwsDeployment {
  const { name, config, aws, project, outputs } = args;
  const { region } = aws;
  const tags = { project, stack: name };
  const namespace = `${project}/${name}`;
  const targetGroups = () =>
    readTargetGroups(new ElasticLoadBalancingV2Client({ region }), tags);
  const machines = async (of: LogQuery["of"]): Promise<Machine[]> => {
    const groups = (await targetGroups()).filter((group) => group.of === of);
    const ids = groups.flatMap(({ targets }) => targets.map(({ id }) => id));
    return [...new Set(ids)].map((id) => ({ name: id }));
  };
  return {
    ...{ platform: "aws", name, config, aws, tags, outputs, targetGroups },
    machineGroups: async () =>
      readMachineGroups(
        new AutoScalingClient({ region }),
        await targetGroups(),
      ),
    store: checkedStore(
      new SecretsManagerStore(
        new SecretsManagerClient({ region }),
        `${namespace}/`,
      ),
    ),
    edges: () => machines("edges"),
    gateways: () => machines("gateways"),
    publicAddresses: async () => {
      const { edge } = edgeOutput.parse(await outputs());
      return {
        ipv4: edge.addresses.filter((address) => isIPv4(address)),
        ipv6: edge.addresses.filter((address) => !isIPv4(address)),
      };
    },
    logs: ({ of, ...query }) =>
      readLogs(
        new CloudWatchLogsClient({ region }),
        `${namespace}/${of === "edges" ? "edge" : "gateway"}`,
        query,
      ),
    execInSandbox: executeByApi,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

const edgeOutput = z.object({
  edge: z.object({ addresses: z.array(z.string()) }),
});

/** Rows as infra/machine/logs sends them: what a unit said, and which one. */
async function readLogs(
  client: CloudWatchLogsClient,
  logGroupName: string,
  { since, units }: Omit<LogQuery, "of">,
): Promise<JournalEntry[]> {
  const entries: JournalEntry[] = [];
  try {
    for (let nextToken: string | undefined; ;) {
      const page = await client.send(
        new FilterLogEventsCommand({
          ...{ logGroupName, startTime: since.getTime(), nextToken },
        }),
      );
      for (const { timestamp = 0, message = "" } of page.events ?? []) {
        const row = sentRow.safeParse(json(message));
        if (!row.success) continue;
        const { unit, ...said } = row.data;
        entries.push({
          time: timestamp,
          unit: `${unit}.service`,
          message:
            plainText.safeParse(said).data?.message ?? JSON.stringify(said),
        });
      }
      nextToken = page.nextToken;
      if (nextToken === undefined) break;
    }
  } catch (error) {
    if (!(error instanceof ResourceNotFoundException)) throw error;
    throw new Error(
      `there is no log group ${logGroupName} in this account and region; is it the stack's account, and has pulumi up made the stack?`,
      { cause: error },
    );
  }
  return entries.filter(({ unit }) => units.includes(unit));
}

const sentRow = z.looseObject({ unit: z.string() });
/** What a unit said that was no JSON. */
const plainText = z.strictObject({ message: z.string() });

/** AWS tells the tags of so many at once. */
const tagsAtOnce = 20;

/** Those of the stack, which it knows by the tags of all that it makes. */
async function readTargetGroups(
  client: ElasticLoadBalancingV2Client,
  { project, stack }: AwsDeployment["tags"],
): Promise<TargetGroup[]> {
  const all: { readonly arn: string; readonly name: string }[] = [];
  for await (const page of paginateDescribeTargetGroups({ client }, {})) {
    for (const group of page.TargetGroups ?? []) {
      const { TargetGroupArn: arn = "", TargetGroupName: name = "" } = group;
      all.push({ arn, name });
    }
  }
  const ours = new Set<string>();
  for (let first = 0; first < all.length; first += tagsAtOnce) {
    const ResourceArns = all
      .slice(first, first + tagsAtOnce)
      .map(({ arn }) => arn);
    const { TagDescriptions = [] } = await client.send(
      new DescribeTagsCommand({ ResourceArns }),
    );
    for (const { ResourceArn = "", Tags = [] } of TagDescriptions) {
      if (hasTags(Tags, { project, stack })) ours.add(ResourceArn);
    }
  }
  return Promise.all(
    all
      .filter(({ arn }) => ours.has(arn))
      .map(async ({ arn: TargetGroupArn, name }) => {
        const { TargetHealthDescriptions = [] } = await client.send(
          new DescribeTargetHealthCommand({ TargetGroupArn }),
        );
        return {
          ...{ arn: TargetGroupArn, name },
          of: name.startsWith("aws-gateway") ? "gateways" : "edges",
          targets: TargetHealthDescriptions.map(
            ({ Target, TargetHealth }): Target => ({
              id: Target?.Id ?? "",
              isHealthy: TargetHealth?.State === "healthy",
              state: [TargetHealth?.State, TargetHealth?.Reason]
                .filter((part) => part !== undefined)
                .join(": "),
            }),
          ),
        };
      }),
  );
}

/** Whether a resource is the stack's. */
export function hasTags(
  found: readonly {
    readonly Key?: string | undefined;
    readonly Value?: string | undefined;
  }[],
  wanted: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(wanted).every(([key, value]) =>
    found.some(({ Key, Value }) => Key === key && Value === value),
  );
}
