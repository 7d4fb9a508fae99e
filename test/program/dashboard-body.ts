/**
 * What CloudWatch accepts as a dashboard, of what the stack's uses:
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
 */
import * as z from "zod";

/** Options of a metric in a picture. */
const rendering = z.strictObject({
  id: z
    .string()
    .regex(/^[a-z][A-Za-z0-9_]*$/)
    .optional(),
  label: z.string().optional(),
  stat: z
    .string()
    .regex(/^(Average|Maximum|Minimum|SampleCount|Sum|p\d+)$/)
    .optional(),
  period: z.int().multipleOf(60).optional(),
  yAxis: z.enum(["left", "right"]).optional(),
});
const expression = z.strictObject({
  expression: z.string().min(1),
  id: z.string(),
  label: z.string(),
  yAxis: z.enum(["left", "right"]).optional(),
});
const axis = z.strictObject({
  min: z.number().optional(),
  max: z.number().optional(),
});
const place = {
  x: z.int().min(0).max(23),
  y: z.int().min(0),
  width: z.int().min(1).max(24),
  height: z.int().min(1).max(1000),
};

const metricWidget = z.strictObject({
  type: z.literal("metric"),
  ...place,
  properties: z.strictObject({
    title: z.string(),
    region: z.string(),
    view: z.enum(["timeSeries", "singleValue", "gauge", "bar", "pie", "table"]),
    period: z.int().multipleOf(60),
    stat: rendering.shape.stat,
    metrics: z
      .array(
        z.union([
          z.tuple([expression]),
          z.tuple([z.string()], z.union([z.string(), rendering])),
        ]),
      )
      .min(1)
      .max(500),
    yAxis: z
      .strictObject({ left: axis.optional(), right: axis.optional() })
      .optional(),
  }),
});

const logWidget = z.strictObject({
  type: z.literal("log"),
  ...place,
  properties: z.strictObject({
    title: z.string(),
    region: z.string(),
    view: z.enum(["table", "timeSeries", "bar", "pie"]),
    query: z.string().regex(/^SOURCE '[A-Za-z0-9._/#-]+' \| \S/),
  }),
});

/** A dashboard has 500 widgets at most. */
const body = z.strictObject({
  widgets: z
    .array(z.discriminatedUnion("type", [metricWidget, logWidget]))
    .min(1)
    .max(500)
    .refine(
      (widgets) => widgets.every(({ x, width }) => x + width <= 24),
      "a widget stands out at the right",
    )
    .refine(
      (widgets) =>
        !widgets.some((one, index) =>
          widgets
            .slice(index + 1)
            .some(
              (other) =>
                one.x < other.x + other.width &&
                other.x < one.x + one.width &&
                one.y < other.y + other.height &&
                other.y < one.y + one.height,
            ),
        ),
      "a widget stands on another",
    ),
});

export interface Metric {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
  /** Where it has one of its own; else the picture's. */
  readonly stat: string | undefined;
}

export interface DashboardBody {
  readonly metrics: readonly Metric[];
  /** Names of log groups. */
  readonly logGroups: readonly string[];
  readonly regions: readonly string[];
}

/**
 * Reads a dashboard's body.
 * @throws Error for what CloudWatch would not take
 */
export function readDashboard(text: string): DashboardBody {
  const { widgets } = body.parse(JSON.parse(text));
  return {
    metrics: widgets.flatMap((widget) =>
      widget.type === "metric" ? metricsOf(widget.properties) : [],
    ),
    logGroups: widgets.flatMap((widget) =>
      widget.type === "log"
        ? [/'(.+?)'/.exec(widget.properties.query)?.[1] ?? ""]
        : [],
    ),
    regions: widgets.map(({ properties }) => properties.region),
  };
}

/** "." is what stood there in the metric before, "..." all that did. */
function metricsOf({
  metrics,
  stat,
}: z.infer<typeof metricWidget>["properties"]): Metric[] {
  let before: string[] = [];
  return metrics.flatMap((metric) => {
    const options = metric.find((part) => typeof part !== "string");
    if (options && "expression" in options) {
      const known = metrics
        .flat()
        .flatMap((part) => (typeof part !== "string" && part.id) || []);
      for (const id of options.expression.match(/\b[a-z]\w*\b/g) ?? []) {
        if (!known.includes(id)) throw new Error(`no metric is called ${id}`);
      }
      return [];
    }
    const written = metric.filter((part) => typeof part === "string");
    const full =
      written[0] === "..."
        ? [
            ...before.slice(0, before.length - written.length + 1),
            ...written.slice(1),
          ]
        : written.map((part, index) => (part === "." ? before[index] : part));
    before = full.map((part) => {
      if (part === undefined) throw new Error('"." with nothing before it');
      return part;
    });
    const [namespace = "", name = "", ...pairs] = before;
    if (pairs.length % 2 === 1) throw new Error(`${name}: half a dimension`);
    return [
      {
        namespace,
        name,
        dimensions: Object.fromEntries(
          pairs.flatMap((key, index) =>
            index % 2 === 0 ? [[key, pairs[index + 1] ?? ""]] : [],
          ),
        ),
        stat: options?.stat ?? stat,
      },
    ];
  });
}
