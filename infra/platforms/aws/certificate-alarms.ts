/** Alarms of the certificate: it comes near its end, its renewal fails, or is silent. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

export interface CertificateAlarmsArgs {
  /** The certificate, as its figures name it. */
  readonly name: string;
  readonly profile: string;
  /** Topic that alarms go to. */
  readonly topic: pulumi.Input<string>;
}

/** Days that are left when even the last try to renew is overdue. */
const fewDays = { usual: 10, shortlived: 2 } as const;

const hour = 60 * 60;

export class CertificateAlarms extends pulumi.ComponentResource {
  constructor(
    name: string,
    args: CertificateAlarmsArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("daytona-edge:aws:CertificateAlarms", name, {}, opts);
    const about = {
      namespace: "daytona-edge",
      dimensions: { Name: args.name },
      evaluationPeriods: 1,
      // A function that says nothing has not run.
      treatMissingData: "breaching",
      alarmActions: [args.topic],
      okActions: [args.topic],
    };
    const days =
      args.profile === "shortlived" ? fewDays.shortlived : fewDays.usual;
    new aws.cloudwatch.MetricAlarm(
      `${name}-days-left`,
      {
        ...about,
        alarmDescription: `Fewer than ${String(days)} days are left of the certificate: npm run doctor says why.`,
        metricName: "CertificateDaysLeft",
        statistic: "Minimum",
        comparisonOperator: "LessThanThreshold",
        threshold: days,
        period: 12 * hour,
      },
      { parent: this },
    );
    new aws.cloudwatch.MetricAlarm(
      `${name}-renewal`,
      {
        ...about,
        alarmDescription:
          "For a day no run of the renewal has ended well, or none has run: npm run doctor says why.",
        metricName: "CertificateRunSucceeded",
        statistic: "Sum",
        comparisonOperator: "LessThanThreshold",
        threshold: 1,
        period: 24 * hour,
      },
      { parent: this },
    );
    this.registerOutputs({});
  }
}
