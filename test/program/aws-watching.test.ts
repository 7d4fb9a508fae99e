/** What watches production: logs, figures, alarms and the dashboard, as the engine plans them. */
import {
  afterAll,
  beforeAll,
  describe,
  expect,
  onTestFinished,
  test,
} from "vitest";
import { filled } from "../../infra/platforms/aws/dashboard.ts";
import { type Resource, nameOf } from "../../scripts/toolchain/engine-state.ts";
import { matches } from "../filter-pattern.ts";
import {
  type DashboardBody,
  type Metric,
  readDashboard,
} from "./dashboard-body.ts";
import { type Production, production } from "./production.ts";

let prod: Production;
let resources: readonly Resource[];

beforeAll(async () => {
  prod = await production();
  resources = await up({});
});
afterAll(() => {
  prod.remove();
});

async function up(change: Record<string, unknown>, of = prod) {
  of.configure(change);
  await using stack = await of.open();
  await stack.up();
  return of.state().resources;
}

function one(name: string, type: string, among = resources): Resource {
  const found = among.filter((it) => nameOf(it) === name && it.type === type);
  if (found.length !== 1 || !found[0]) throw new Error(`not one ${name}`);
  return found[0];
}
const ofType = (type: string, among = resources) =>
  among.filter((it) => it.type === type);

const logGroup = "aws:cloudwatch/logGroup:LogGroup";
const kinds = ["edge", "gateway"] as const;

describe.each(kinds)("the log of %s", (kind) => {
  const group = () => one(`aws-${kind}-logs-group`, logGroup);

  test("is kept as long as it is configured", () => {
    expect(group().inputs).toMatchObject({
      name: `daytona-edge/prod/${kind}`,
      retentionInDays: 30,
    });
  });

  test("is written by its machines, who may do nothing else with logs", () => {
    const { inputs } = one(
      `aws-${kind}-machines-policy`,
      "aws:iam/rolePolicy:RolePolicy",
    );
    const { Statement } = JSON.parse(String(inputs.policy)) as {
      Statement: { Action: string | string[]; Resource: string | string[] }[];
    };
    const aboutLogs = Statement.map(({ Action, Resource }) => ({
      actions: [Action].flat(),
      resources: [Resource].flat(),
    })).filter(({ actions }) =>
      actions.some((action) => action.startsWith("logs:")),
    );
    expect(aboutLogs).toEqual([
      {
        actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
        resources: [`${String(group().outputs?.arn)}:*`],
      },
    ]);
  });

  test("has an alarm for silence: missing words are one, too", () => {
    const { inputs } = one(
      `aws-${kind}-logs-silence`,
      "aws:cloudwatch/metricAlarm:MetricAlarm",
    );
    expect(inputs).toMatchObject({
      comparisonOperator: "LessThanThreshold",
      // Two machines say 30 words in 15 minutes, one says 15.
      threshold: 22,
      period: 900,
      evaluationPeriods: 1,
      treatMissingData: "breaching",
    });
  });
});

test("every alarm goes to the one topic, and says so when it is over", () => {
  const [topic, ...others] = ofType("aws:sns/topic:Topic");
  expect(others).toEqual([]);
  const alarms = ofType("aws:cloudwatch/metricAlarm:MetricAlarm");
  expect(alarms.map(nameOf).sort()).toEqual([
    "aws-certificate-alarms-days-left",
    "aws-certificate-alarms-renewal",
    "aws-edge-answers-alarm",
    "aws-edge-health-alarm",
    "aws-edge-logs-silence",
    "aws-gateway-egress-surge",
    "aws-gateway-health-alarm",
    "aws-gateway-logs-silence",
  ]);
  for (const { inputs } of alarms) {
    expect(inputs).toMatchObject({
      alarmActions: [topic?.outputs?.arn],
      okActions: [topic?.outputs?.arn],
    });
    expect(inputs.alarmDescription).toMatch(/^\S.{30,}\.$/);
  }
});

test("errors of the edge's own: their share of all requests, thrice", () => {
  expect(
    one("aws-edge-answers-alarm", "aws:cloudwatch/metricAlarm:MetricAlarm")
      .inputs,
  ).toMatchObject({
    metricQueries: [
      {
        id: "ratio",
        expression: "IF(errors >= 20, 100 * errors / requests, 0)",
        returnData: true,
      },
      { id: "errors", metric: { metricName: "OwnErrors", stat: "Sum" } },
      { id: "requests", metric: { metricName: "Requests", stat: "Sum" } },
    ],
    comparisonOperator: "GreaterThanThreshold",
    threshold: 10,
    evaluationPeriods: 3,
  });
});

test("every figure is made of rows of the log that has them, by a pattern that is one", () => {
  const figures = ofType("aws:cloudwatch/logMetricFilter:LogMetricFilter").map(
    ({ inputs }) => {
      // What is no pattern throws.
      expect(matches(String(inputs.pattern), "{}")).toBe(false);
      const { name, namespace, value } = inputs.metricTransformation as Record<
        string,
        string
      >;
      return [inputs.logGroupName, namespace, name, value].join(" ");
    },
  );
  expect(figures.sort()).toEqual([
    "daytona-edge/prod/edge daytona-edge/prod EdgeAlive 1",
    "daytona-edge/prod/edge daytona-edge/prod OwnErrors 1",
    "daytona-edge/prod/edge daytona-edge/prod Requests 1",
    "daytona-edge/prod/edge daytona-edge/prod ResponseTime $.responseMs",
    "daytona-edge/prod/gateway daytona-edge/prod Denials 1",
    "daytona-edge/prod/gateway daytona-edge/prod GatewayAlive 1",
  ]);
});

/** Metrics that the stack's own resources have, of those that a dashboard may name. */
function metricsOf(among: readonly Resource[]): Metric[] {
  const own = ofType(
    "aws:cloudwatch/logMetricFilter:LogMetricFilter",
    among,
  ).map(({ inputs }) => {
    const { namespace = "", name = "" } = inputs.metricTransformation as Record<
      string,
      string
    >;
    return { namespace, name, dimensions: {} };
  });
  const ofAlarms = ofType("aws:cloudwatch/metricAlarm:MetricAlarm", among)
    .map(({ inputs }) => inputs)
    .filter(({ namespace }) => namespace === "daytona-edge")
    .map(({ namespace, metricName, dimensions }) => ({
      namespace: String(namespace),
      name: String(metricName),
      dimensions: dimensions as Record<string, string>,
    }));
  // https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-cloudwatch-metrics.html
  const ofBalancers = ofType("aws:lb/loadBalancer:LoadBalancer", among).flatMap(
    (balancer) => {
      const LoadBalancer = String(balancer.outputs?.arnSuffix);
      const groups = ofType("aws:lb/listener:Listener", among)
        .filter(
          ({ inputs }) => inputs.loadBalancerArn === balancer.outputs?.arn,
        )
        .flatMap(
          ({ inputs }) => inputs.defaultActions as { targetGroupArn: string }[],
        )
        .map(({ targetGroupArn }) =>
          ofType("aws:lb/targetGroup:TargetGroup", among).find(
            ({ outputs }) => outputs?.arn === targetGroupArn,
          ),
        );
      const namespace = "AWS/NetworkELB";
      return [
        ...["ActiveFlowCount", "NewFlowCount"].map((name) => ({
          namespace,
          name,
          dimensions: { LoadBalancer },
        })),
        ...groups.flatMap((group) =>
          ["HealthyHostCount", "UnHealthyHostCount"].map((name) => ({
            namespace,
            name,
            dimensions: {
              LoadBalancer,
              TargetGroup: String(group?.outputs?.arnSuffix),
            },
          })),
        ),
      ];
    },
  );
  return [...own, ...ofAlarms, ...ofBalancers].map((metric) => ({
    ...metric,
    stat: undefined,
  }));
}

function dashboardOf(among: readonly Resource[]): DashboardBody {
  const { inputs } = one(
    "aws-dashboard-pictures",
    "aws:cloudwatch/dashboard:Dashboard",
    among,
  );
  expect(inputs.dashboardName).toBe("daytona-edge-prod");
  return readDashboard(String(inputs.dashboardBody));
}

describe("the dashboard", () => {
  test("is one that CloudWatch takes, of figures that there are", () => {
    const { metrics, logGroups, regions } = dashboardOf(resources);
    const there = metricsOf(resources);
    for (const { stat, ...metric } of metrics) {
      expect(there).toContainEqual({ ...metric, stat: undefined });
      expect(stat).toEqual(expect.any(String));
    }
    expect(new Set(metrics.map(({ name }) => name))).toEqual(
      new Set([
        ...["Requests", "OwnErrors", "ResponseTime", "Denials"],
        ...["HealthyHostCount", "UnHealthyHostCount"],
        ...["ActiveFlowCount", "NewFlowCount"],
        ...["CertificateDaysLeft", "CertificateRunSucceeded"],
      ]),
    );
    expect(new Set(logGroups)).toEqual(
      new Set(
        ofType(logGroup)
          .map(({ inputs }) => inputs.name)
          .filter((name) => String(name).startsWith("daytona-edge/")),
      ),
    );
    expect(new Set(regions)).toEqual(new Set(["eu-central-1"]));
  });

  test("without a road out it has the road in only", async () => {
    // A stack of its own: a gateway's addresses are protected.
    const other = await production();
    onTestFinished(() => {
      other.remove();
    });
    const edgesAlone = await up({ "daytona-edge:egress": undefined }, other);
    const { metrics, logGroups } = dashboardOf(edgesAlone);
    const there = metricsOf(edgesAlone);
    for (const metric of metrics) {
      expect(there).toContainEqual({ ...metric, stat: undefined });
    }
    expect(new Set(logGroups)).toEqual(new Set(["daytona-edge/prod/edge"]));
  });

  test("names nothing that it is not told", () => {
    const told = { region: "eu-central-1", log: "a/b" };
    expect(filled("${region}: ${log}", told)).toBe("eu-central-1: a/b");
    expect(filled("p99 $5 {log}", told)).toBe("p99 $5 {log}");
    expect(() => filled("${balancer}", told)).toThrow(
      "the dashboard names ${balancer}, which is none of region, log",
    );
  });

  test.each([
    ["no widget", { widgets: [] }],
    ["an unknown kind", { widgets: [{ type: "picture" }] }],
    ["not JSON", "widgets"],
  ])("the tests' reader refuses %s", (_, value) => {
    expect(() => readDashboard(JSON.stringify(value))).toThrow();
  });
});
