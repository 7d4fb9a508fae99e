/** A figure of what gateways refuse, and an alarm for a surge of it. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { logFigure } from "./log-figure.ts";
import type { LogAlarmArgs } from "./machine-logs.ts";
import { denials } from "./row-patterns.ts";

/**
 * Refusals in five minutes. A program that asks again every second makes 300,
 * and an installer that looks for its mirrors some dozens: more than three of
 * the former at once is a sandbox that searches for a way out, or a rule that
 * many sandboxes miss.
 */
const surge = 1000;

export class EgressAlarm extends pulumi.ComponentResource {
  constructor(
    name: string,
    { logs, namespace, topic }: LogAlarmArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("daytona-edge:aws:EgressAlarm", name, {}, opts);
    const figure = { namespace, metricName: "Denials" };
    logFigure(
      `${name}-denials`,
      { logGroup: logs.group, pattern: denials, figure },
      this,
    );
    new aws.cloudwatch.MetricAlarm(
      `${name}-surge`,
      {
        alarmDescription: `Gateways refused sandboxes more than ${String(surge)} times in five minutes: the dashboard says who wanted what.`,
        ...figure,
        statistic: "Sum",
        comparisonOperator: "GreaterThanThreshold",
        threshold: surge,
        period: 300,
        evaluationPeriods: 1,
        // No rows at all are the silence's alarm.
        treatMissingData: "notBreaching",
        alarmActions: [topic],
        okActions: [topic],
      },
      { parent: this },
    );
    this.registerOutputs({});
  }
}
