/** Configuration values, checked: a pure function from them to `StackConfig`. */
import type { Limits } from "../edge/limits.ts";
import { type Learn, learnProblems, learnWarning } from "../gateway/learn.ts";
import type { EgressLimits } from "../gateway/limits.ts";
import type { EgressRule } from "../gateway/rules.ts";
import { unenforced } from "../gateway/unenforced.ts";
import type { AwsSettings } from "../platforms/aws/settings.ts";
import {
  type HostSettings,
  daytonaBeside,
} from "../platforms/host/settings.ts";
import { platformProblems } from "./platform-problems.ts";
import { type Problem, check, missing } from "./problems.ts";
import { type Parsed, schema } from "./schema.ts";

/** Ports of Daytona's own daemons in a sandbox; nobody is ever let in there. */
const reservedPorts = [2280, 5900, 5901, 6080, 22220, 22222, 33333];

/** Everything the stack is made from; plain and frozen. */
export type StackConfig = CommonConfig & PlatformConfig;

/** Where the machines come from. */
export type PlatformConfig =
  | {
      readonly platform: "host";
      readonly host: HostSettings;
      readonly aws?: undefined;
    }
  | {
      readonly platform: "aws";
      readonly aws: AwsSettings;
      readonly host?: undefined;
    };

interface CommonConfig {
  readonly domain: string;
  readonly zoneId: string;
  readonly certificate: Parsed["certificate"];
  readonly upstream: Parsed["upstream"];
  /** Who decides about access: Daytona, our signed tokens, or nobody. */
  readonly access: "daytona" | "signed" | "public";
  /** Counts the signing keys; one more replaces the current key by the next. */
  readonly accessKeyGeneration: number;
  readonly limits: Limits;
  readonly toolbox: boolean;
  /** Ports that are refused on every sandbox, ascending. */
  readonly deniedPorts: readonly number[];
  /** The road out; a stack may have only the road in. */
  readonly egress:
    | {
        readonly egressRules: readonly EgressRule[];
        /** Unlisted hosts are let through and recorded for a while. */
        readonly learn?: Learn;
        /** What one sandbox may take of a gateway. */
        readonly limits: EgressLimits;
        /** Where the gateway is, on a server that sandboxes run on. */
        readonly gateway: Parsed["gateway"];
      }
    | undefined;
}

/**
 * Checks configuration values; pure. `config` is there when `problems` is empty.
 * @param circumstances the stack's name and the time, which bound learn mode;
 *   a stack without a name is held to be prod
 */
export function parseConfig(
  given: Record<string, unknown>,
  circumstances = { stack: "prod", now: new Date() },
): {
  config?: StackConfig;
  problems: Problem[];
  /** What may be so, but is weaker than it looks. */
  warnings: Problem[];
} {
  const whole = given.platform === "host" ? withHostDefaults(given) : given;
  const checked = check(schema, whole);
  const { problems } = checked;
  // Wrong rules hide nothing else that is wrong.
  const data = checked.data ?? check(schema, withoutRules(whole)).data;
  if (!data) return { problems, warnings: [] };
  const { upstream, egress } = data;
  // What the URL itself says is no news; the rest is weaker than it looks.
  const warnings = unenforced(egress?.allow ?? []).flatMap(
    ({ index, option, subject, text }) =>
      option === undefined
        ? []
        : [
            {
              key: `egress.allow[${String(index)}].${option}`,
              message: `not enforced for ${subject}: ${text}`,
            },
          ],
  );
  const learn = egress?.learn;
  if (learn) {
    problems.push(
      ...learnProblems(learn, circumstances).map(({ key, message }) => ({
        key: `egress.learn${key}`,
        message,
      })),
    );
    warnings.push({
      key: "egress.learn",
      message: learnWarning(learn, circumstances.now),
    });
  }
  if (upstream.mode === "direct" && data.access === "daytona") {
    problems.push({
      key: "access",
      message: `"daytona" cannot guard upstream.mode direct: Daytona is not asked there; set it to signed, or to public if every sandbox may be reached by anyone`,
    });
  }
  // Never weaker than what stands behind.
  const { access = upstream.mode === "direct" ? "signed" : "daytona" } = data;
  if (upstream.mode === "direct" && data.toolbox) {
    problems.push({
      key: "toolbox",
      message:
        "nothing reads it with upstream.mode direct, for the toolbox is Daytona's; remove it",
    });
  }
  if (given.accessKeyGeneration !== undefined && access !== "signed") {
    warnings.push({
      key: "accessKeyGeneration",
      message: `nothing reads it while access is ${access}`,
    });
  }
  if (data.platform !== "aws" && limitsGiven(given, "perRunner")) {
    problems.push({
      key: "egress.limits.perRunner",
      message: `nothing reads it on platform ${data.platform}, where each sandbox has an address of its own; remove it`,
    });
  }
  problems.push(...platformProblems(data));
  if (data.gateway && !egress) {
    const problem = missing(schema, ["egress"]);
    problems.push({
      ...problem,
      message: `${problem.message.replace("missing", "missing, while gateway is set")}, or remove gateway for a stack with the ingress only`,
    });
  }
  const platform = platformConfig(data);
  if (problems.length > 0 || !platform) return { problems, warnings };
  const { domain, certificate, toolbox, gateway } = data;
  return {
    problems,
    warnings,
    config: Object.freeze({
      ...platform,
      domain,
      certificate,
      upstream,
      toolbox,
      access,
      accessKeyGeneration: data.accessKeyGeneration,
      limits: data.limits,
      zoneId: data.cloudflare.zoneId,
      deniedPorts: [...new Set([...reservedPorts, ...data.deniedPorts])].sort(
        (a, b) => a - b,
      ),
      egress: egress && {
        egressRules: egress.allow,
        limits: egress.limits,
        gateway,
        ...(learn ? { learn: { until: learn.until } } : {}),
      },
    }),
  };
}

/** Whether one of the limits of the road out was written, and is no default. */
function limitsGiven(given: Record<string, unknown>, name: string): boolean {
  const egress = given.egress as { limits?: object } | undefined;
  return name in (egress?.limits ?? {});
}

function withoutRules(given: Record<string, unknown>): Record<string, unknown> {
  return given.egress === undefined
    ? given
    : { ...given, egress: { ...given.egress, allow: [] } };
}

/** Daytona is on the same server, and the gateway where it belongs. */
function withHostDefaults(
  given: Record<string, unknown>,
): Record<string, unknown> {
  return {
    upstream: daytonaBeside,
    ...(given.egress === undefined ? {} : { gateway: {} }),
    ...given,
  };
}

/** Undefined where what the platform needs is missing. */
function platformConfig(parsed: Parsed): PlatformConfig | undefined {
  const { platform, host, aws } = parsed;
  if (platform === "host") return host && { platform, host };
  return aws && { platform, aws };
}
