/** An alarm for too few healthy machines behind a balancer. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

export interface HealthAlarmArgs {
  /** What the machines are, and what it means when there are none. */
  readonly description: string;
  readonly targets: {
    /** Of the balancer, as figures name it. */
    readonly balancer: pulumi.Input<string>;
    /** Of the machines, as figures name them. */
    readonly group: pulumi.Input<string>;
  };
  /** How many there shall be at least. */
  readonly minimum: number;
  /** Topic that alarms go to. */
  readonly topic: pulumi.Input<string>;
}

export class HealthAlarm extends pulumi.ComponentResource {
  constructor(
    name: string,
    args: HealthAlarmArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("daytona-edge:aws:HealthAlarm", name, {}, opts);
    new aws.cloudwatch.MetricAlarm(
      `${name}-alarm`,
      {
        alarmDescription: `Fewer than ${String(args.minimum)} ${args.description}`,
        namespace: "AWS/NetworkELB",
        metricName: "HealthyHostCount",
        dimensions: {
          LoadBalancer: args.targets.balancer,
          TargetGroup: args.targets.group,
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
