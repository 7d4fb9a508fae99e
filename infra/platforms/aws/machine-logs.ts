/** The log of the machines of one kind, and an alarm for those who say nothing. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { LogsPlace } from "../../machine/logs/bundle.ts";
import { type Figure, logFigure } from "./log-figure.ts";
import { awsUnits } from "./machine/bundle.ts";
import { alive } from "./row-patterns.ts";
import type { AwsSettings } from "./settings.ts";

export interface MachineLogsArgs {
  readonly settings: Pick<AwsSettings, "region" | "logs">;
  /** Goes before the names of log groups; as a namespace of figures, too. */
  readonly namespace: string;
  /** What the machines are. */
  readonly kind: "edge" | "gateway";
  /** How many there shall be at least. */
  readonly minimum: number;
  /** Topic that alarms go to. */
  readonly topic: pulumi.Input<string>;
}

/** Minutes within which a machine may be silent; each says a word a minute. */
const minutes = 15;

export class MachineLogs extends pulumi.ComponentResource {
  readonly group: aws.cloudwatch.LogGroup;
  /** What machines are told of it. Known before it is there: so is its name. */
  readonly place: LogsPlace;

  constructor(
    name: string,
    args: MachineLogsArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("daytona-edge:aws:MachineLogs", name, {}, opts);
    const { settings, namespace, kind, minimum } = args;
    this.place = {
      region: settings.region,
      group: `${namespace}/${kind}`,
      units: awsUnits,
    };
    this.group = new aws.cloudwatch.LogGroup(
      `${name}-group`,
      {
        name: this.place.group,
        retentionInDays: settings.logs.retentionDays,
      },
      { parent: this },
    );
    const figure: Figure = {
      namespace,
      metricName: kind === "edge" ? "EdgeAlive" : "GatewayAlive",
    };
    logFigure(
      `${name}-alive`,
      { logGroup: this.group, pattern: alive, figure },
      this,
    );
    new aws.cloudwatch.MetricAlarm(
      `${name}-silence`,
      {
        alarmDescription: `For ${String(minutes)} minutes fewer than ${String(minimum)} machines have sent rows of their logs (${kind}): they do not run, or "journalctl -u daytona-logs" there says why.`,
        ...figure,
        statistic: "Sum",
        comparisonOperator: "LessThanThreshold",
        // Half a machine's words may fall into the next period.
        threshold: Math.floor((minimum - 0.5) * minutes),
        period: minutes * 60,
        evaluationPeriods: 1,
        treatMissingData: "breaching",
        alarmActions: [args.topic],
        okActions: [args.topic],
      },
      { parent: this },
    );
    this.registerOutputs({});
  }
}

/** What an alarm about rows of a log is made from. */
export interface LogAlarmArgs {
  readonly logs: MachineLogs;
  /** Namespace of the figures. */
  readonly namespace: string;
  /** Topic that alarms go to. */
  readonly topic: pulumi.Input<string>;
}
