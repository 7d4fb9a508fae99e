/** What an operator looks at first. The pictures are files beside this one. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { HealthAlarmArgs } from "./health-alarm.ts";
import type { MachineLogs } from "./machine-logs.ts";

export interface DashboardArgs {
  readonly region: string;
  /** Namespace of the rows' figures. */
  readonly namespace: string;
  /** The certificate, as its figures name it. */
  readonly certificate: string;
  readonly edge: Road;
  /** Absent where there is no road out. */
  readonly gateway: Road | undefined;
}

interface Road {
  readonly logs: MachineLogs;
  readonly figures: HealthAlarmArgs["targets"];
}

export class Dashboard extends pulumi.ComponentResource {
  constructor(
    name: string,
    args: DashboardArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("daytona-edge:aws:Dashboard", name, {}, opts);
    const { region, namespace, certificate, edge, gateway } = args;
    const widgets = [
      picture("edge", { region, namespace, certificate, ...road(edge) }),
      ...(gateway
        ? [picture("gateway", { region, namespace, ...road(gateway) })]
        : []),
    ];
    new aws.cloudwatch.Dashboard(
      `${name}-pictures`,
      {
        // It may have letters, digits, "-" and "_" only.
        dashboardName: namespace.replaceAll(/[^A-Za-z0-9_-]/g, "-"),
        dashboardBody: pulumi.jsonStringify({
          widgets: pulumi.all(widgets).apply((files) => files.flat()),
        }),
      },
      { parent: this },
    );
    this.registerOutputs({});
  }
}

/** What a picture is told of a road. */
function road({ logs, figures }: Road) {
  return { log: logs.group.name, ...figures };
}

/** A file's widgets, with its parameters in their places. */
function picture(
  file: string,
  parameters: Readonly<Record<string, pulumi.Input<string>>>,
): pulumi.Output<unknown> {
  const text = readFileSync(
    join(import.meta.dirname, `dashboard/${file}.json`),
    "utf8",
  );
  return pulumi
    .output(parameters)
    .apply((values): unknown =>
      JSON.parse(text, (_, value: unknown) =>
        typeof value === "string" ? filled(value, values) : value,
      ),
    );
}

/**
 * A text with the values of `${…}` in it.
 * @throws Error for a name that has none
 */
export function filled(
  text: string,
  values: Readonly<Record<string, string>>,
): string {
  return text.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) {
      throw new Error(
        `the dashboard names \${${name}}, which is none of ${Object.keys(values).join(", ")}`,
      );
    }
    return value;
  });
}
