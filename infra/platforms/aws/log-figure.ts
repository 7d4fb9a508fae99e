/** A figure that CloudWatch makes of the rows in a log group. */
import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";

export interface LogFigureArgs {
  readonly logGroup: aws.cloudwatch.LogGroup;
  /** Which rows count (row-patterns.ts). */
  readonly pattern: string;
  readonly figure: Figure;
  /** Field of the row that is the value, `$.` and its name; else rows are counted. */
  readonly value?: `$.${string}` | undefined;
}

export interface Figure {
  readonly namespace: string;
  readonly metricName: string;
}

export function logFigure(
  name: string,
  { logGroup, pattern, figure, value }: LogFigureArgs,
  parent: pulumi.Resource,
): void {
  new aws.cloudwatch.LogMetricFilter(
    name,
    {
      logGroupName: logGroup.name,
      pattern,
      metricTransformation: {
        namespace: figure.namespace,
        name: figure.metricName,
        ...(value === undefined
          ? // Of minutes whose rows are all others, 0 rather than nothing.
            { value: "1", defaultValue: "0", unit: "Count" }
          : { value, unit: "Milliseconds" }),
      },
    },
    { parent },
  );
}
