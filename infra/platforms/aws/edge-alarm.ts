/** Figures of the edges' requests, and an alarm for errors of their own. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { logFigure } from "./log-figure.ts";
import type { LogAlarmArgs } from "./machine-logs.ts";
import * as patterns from "./row-patterns.ts";

/**
 * Of all requests, in percent. A stopped sandbox that somebody still asks for
 * is an error as well, so some there always are; with Daytona's proxy away
 * every answer is one.
 */
const tooMany = 10;
/** Errors within a period that are worth a look: one client alone makes fewer. */
const worthALook = 20;

export class EdgeAlarm extends pulumi.ComponentResource {
  constructor(
    name: string,
    { logs, namespace, topic }: LogAlarmArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("daytona-edge:aws:EdgeAlarm", name, {}, opts);
    const figure = (metricName: string) => ({ namespace, metricName });
    for (const [suffix, metricName, pattern, value] of [
      ["requests", "Requests", patterns.requests],
      ["own-errors", "OwnErrors", patterns.ownErrors],
      ["response-time", "ResponseTime", patterns.answered, "$.responseMs"],
    ] as const) {
      logFigure(
        `${name}-${suffix}`,
        { logGroup: logs.group, pattern, figure: figure(metricName), value },
        this,
      );
    }
    const sum = (id: string, metricName: string) => ({
      id,
      metric: { ...figure(metricName), period: 300, stat: "Sum" },
    });
    new aws.cloudwatch.MetricAlarm(
      `${name}-alarm`,
      {
        alarmDescription: `For 15 minutes more than ${String(tooMany)} % of the requests got a 502, 503 or 504 of the edge's own: Daytona, its proxy or many sandboxes do not answer. The dashboard says which.`,
        metricQueries: [
          {
            id: "ratio",
            label: "Errors of the edge's own, in percent of requests",
            expression: `IF(errors >= ${String(worthALook)}, 100 * errors / requests, 0)`,
            returnData: true,
          },
          sum("errors", "OwnErrors"),
          sum("requests", "Requests"),
        ],
        comparisonOperator: "GreaterThanThreshold",
        threshold: tooMany,
        evaluationPeriods: 3,
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
