/** Alarms of the road in: no edge is healthy, or too few are. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { LoadBalancer } from "./load-balancer.ts";

export interface EdgeAlarmsArgs {
  readonly balancer: LoadBalancer;
  /** How many edges there shall be at least. */
  readonly minimum: number;
  /** Topic that alarms go to. */
  readonly topic: pulumi.Input<string>;
}

export class EdgeAlarms extends pulumi.ComponentResource {
  constructor(
    name: string,
    args: EdgeAlarmsArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("daytona-edge:aws:EdgeAlarms", name, {}, opts);
    new aws.cloudwatch.MetricAlarm(
      `${name}-healthy`,
      {
        alarmDescription: `Fewer than ${String(args.minimum)} edges are healthy: with none, no sandbox is reached.`,
        namespace: "AWS/NetworkELB",
        metricName: "HealthyHostCount",
        dimensions: {
          LoadBalancer: args.balancer.arnSuffix,
          TargetGroup: args.balancer.targetGroupSuffix,
        },
        statistic: "Minimum",
        comparisonOperator: "LessThanThreshold",
        threshold: args.minimum,
        period: 60,
        evaluationPeriods: 5,
        // A balancer without targets says nothing.
        treatMissingData: "breaching",
        alarmActions: [args.topic],
        okActions: [args.topic],
      },
      { parent: this },
    );
    this.registerOutputs({});
  }
}
