/** What the rows are tried at: found in the stack's own rules and addresses. */
import { hostsOf } from "../../../infra/gateway/rule-maps.ts";
import type { EgressRule } from "../../../infra/gateway/rules.ts";
import type { ForbiddenHost } from "../forbidden-host.ts";
import { allowingRule, pathsBeside } from "../rule-checks.ts";

/** What a deployment says of itself. */
export interface Deployment {
  readonly rules: readonly EgressRule[];
  /** Address of the gateway as sandboxes see it. */
  readonly gateway: string;
  readonly forbidden: ForbiddenHost;
  /** Where neighbours listen, as `address:port`; all of them are logged. */
  readonly places: readonly string[];
  /** Address of another sandbox on the same runner. */
  readonly otherSandbox: string;
  /** Name servers beside the sandboxes' own. */
  readonly nameServers: readonly string[];
  /** IPv4 address of the edge, and the name of a sandbox there. */
  readonly edge: { readonly ipv4: string; readonly host: string };
  /** True IPv4 addresses of allowed hosts. */
  readonly addressOf: (host: string) => Promise<string>;
}

export interface BypassTarget extends Omit<Deployment, "rules" | "addressOf"> {
  /** A host that is allowed by its exact name. */
  readonly allowed:
    { readonly host: string; readonly ipv4: string } | undefined;
  /** One whose TLS passes through, but no encrypted hello. */
  readonly spliced: string | undefined;
  readonly inspected: InspectedHost | undefined;
}

export interface InspectedHost {
  readonly host: string;
  /** May be asked for by GET. */
  readonly path: string;
  /** Whether that path may be upgraded to a WebSocket. */
  readonly hasWebSocket: boolean;
  /** Below `prefix` everything is allowed, and `outside` is not. */
  readonly limit:
    { readonly prefix: string; readonly outside: string } | undefined;
}

export async function bypassTarget(
  deployment: Deployment,
): Promise<BypassTarget> {
  const { rules, addressOf, ...addresses } = deployment;
  const hosts = hostsOf(rules);
  // A name around one of these must be allowed by no wildcard.
  const exact = hosts.filter(
    (host) =>
      !host.startsWith("*.") &&
      !hosts.includes(`*.${host}`) &&
      !hosts.includes(host.replace(/^[^.]+/, "*")),
  );
  const spliced = exact.find((host) =>
    rules.some(
      (rule) =>
        rule.host === host &&
        rule.mode === "splice" &&
        rule.options.ech !== "allow",
    ),
  );
  const [host] = spliced === undefined ? exact : [spliced];
  return {
    ...addresses,
    allowed:
      host === undefined ? undefined : { host, ipv4: await addressOf(host) },
    spliced,
    inspected: inspectedHost(rules.filter(({ host }) => exact.includes(host))),
  };
}

function inspectedHost(
  rules: readonly EgressRule[],
): InspectedHost | undefined {
  const found = rules.flatMap((rule): InspectedHost[] => {
    const own = rules.filter(({ host }) => host === rule.host);
    const allowing = allowingRule(own, rule.path, "GET");
    // A quote in a path would end the shell's.
    const isPlain = !rule.path.includes("'");
    if (rule.mode !== "inspect" || !allowing || !isPlain) return [];
    const [outside] = rule.exact ? [] : pathsBeside(rule, own);
    return [
      {
        host: rule.host,
        path: rule.path,
        hasWebSocket: allowing.options.upgrade !== undefined,
        limit:
          outside === undefined ? undefined : { prefix: rule.path, outside },
      },
    ];
  });
  return found.find(({ limit }) => limit !== undefined) ?? found[0];
}
