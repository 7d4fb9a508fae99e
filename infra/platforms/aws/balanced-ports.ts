/** Ports that a network load balancer passes on to machines, whose health it asks for. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { healthPort } from "../../machine/places.ts";
import type { HealthAlarmArgs } from "./health-alarm.ts";

/** The longest that a connection may be silent; AWS allows no more, in seconds. */
const idleSeconds = 6000;
/**
 * How long a target that goes counts as going, in seconds. Its connections live
 * on after that, but only then does Auto Scaling tell the machine to drain.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html
 */
const goingSeconds = 30;
/** What a target may take to be found healthy or not: twice this, in seconds. */
const healthInterval = 10;

export interface BalancedPortsArgs {
  readonly vpcId: pulumi.Input<string>;
  readonly balancer: aws.lb.LoadBalancer;
  readonly ports: readonly number[];
  /** How machines learn who the client is. */
  readonly client: Pick<
    aws.lb.TargetGroupArgs,
    "preserveClientIp" | "proxyProtocolV2"
  >;
}

export interface BalancedPorts {
  readonly targetGroupArns: readonly pulumi.Output<string>[];
  /** As figures name the balancer, and its machines. */
  readonly figures: HealthAlarmArgs["targets"];
}

export function balancedPorts(
  name: string,
  args: BalancedPortsArgs,
  parent: pulumi.Resource,
): BalancedPorts {
  const targets = args.ports.map((port) => {
    const target = new aws.lb.TargetGroup(
      `${name}-targets-${String(port)}`,
      {
        vpcId: args.vpcId,
        port,
        protocol: "TCP",
        ...args.client,
        // A target that goes, or looks ill, keeps what it has.
        connectionTermination: false,
        deregistrationDelay: goingSeconds,
        targetHealthStates: [{ enableUnhealthyConnectionTermination: false }],
        healthCheck: {
          protocol: "HTTP",
          port: String(healthPort),
          path: "/healthz",
          interval: healthInterval,
          healthyThreshold: 2,
          unhealthyThreshold: 2,
        },
      },
      { parent },
    );
    new aws.lb.Listener(
      `${name}-listener-${String(port)}`,
      {
        loadBalancerArn: args.balancer.arn,
        port,
        protocol: "TCP",
        tcpIdleTimeoutSeconds: idleSeconds,
        defaultActions: [{ type: "forward", targetGroupArn: target.arn }],
      },
      { parent },
    );
    return target;
  });
  return {
    targetGroupArns: targets.map(({ arn }) => arn),
    figures: {
      balancer: args.balancer.arnSuffix,
      group: targets[0]?.arnSuffix ?? "",
    },
  };
}
