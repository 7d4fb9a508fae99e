/**
 * What to try in a sandbox so that every rule is seen to hold: pure, from the
 * rules alone. A request that is meant to arrive uses a safe method (RFC 9110,
 * 9.2.1) and the rule's own path; one that is meant to be refused is as
 * harmless, should it arrive.
 */
import {
  type EgressRule,
  clientCredential,
  covers,
} from "../../infra/gateway/rules.ts";
import { hostsOf } from "../../infra/gateway/rule-maps.ts";
import { shellCommand } from "../lab/daytona/shell-command.ts";
import { clientHello, encryptedClientHello, records } from "./client-hello.ts";

/** One command for a sandbox, and what it has to print. */
export interface RuleCheck {
  /** Whether the rules let it through. */
  readonly allowed: boolean;
  readonly what: string;
  readonly command: string;
  readonly holds: (output: string) => boolean;
}

/** All that is tried at one host. */
export interface HostChecks {
  /** As the rules name it. */
  readonly host: string;
  readonly checks: readonly RuleCheck[];
  /** Rules of which nothing can be tried without a change at the host. */
  readonly untried: readonly string[];
}

/** What verify asks for where nothing is, and nobody else would ask for. */
export const invented = "daytona-edge-verify";

/** Safe methods, those that an API knows best first. */
const safeMethods = ["GET", "HEAD", "OPTIONS"];

/**
 * Safe methods to be refused; PROPFIND is RFC 4918's. Not HEAD, whose refusal
 * would have no body and so no reason.
 */
const unlikelyMethods = ["OPTIONS", "PROPFIND", "GET"];

/** How the gateway ends a hello that it refuses: alert unrecognized_name. */
const alert = "15030300020270";

/**
 * Checks for every host that the rules name, in alphabetical order.
 * @param gateway its address as sandboxes see it
 */
export function ruleChecks(
  rules: readonly EgressRule[],
  gateway: string,
): HostChecks[] {
  return hostsOf(rules).map((host) => {
    const own = rules.filter((rule) => rule.host === host);
    const isSpliced = own.some(({ mode }) => mode === "splice");
    const tried = own.map((rule) => requestChecks(rule, own));
    const checks = [
      ...nameChecks(host, rules, gateway),
      ...(isSpliced ? spliceChecks(host, own, gateway) : tried.flat()),
    ];
    return {
      host,
      checks: uniqueBy(checks, ({ command }) => command),
      untried: own
        .filter(
          (rule) => !isSpliced && safeMethod(own, rule.path) === undefined,
        )
        .map(({ options }) => options.url),
    };
  });
}

/**
 * The rule that allows a request, as the gateway decides it: the methods of the
 * rule closest to the path count first, then those of the rules around it.
 * @param rules of one host
 */
export function allowingRule(
  rules: readonly EgressRule[],
  path: string,
  method: string,
): EgressRule | undefined {
  return rules
    .filter((rule) => covers(rule, { host: rule.host, path, exact: true }))
    .sort(
      (a, b) =>
        Number(b.exact) - Number(a.exact) || b.path.length - a.path.length,
    )
    .find(({ options }) => options.methods?.includes(method) ?? true);
}

function safeMethod(
  rules: readonly EgressRule[],
  path: string,
): string | undefined {
  return safeMethods.find((method) => allowingRule(rules, path, method));
}

/** Of an inspected host: path, method, upgrade and credentials of one rule. */
function requestChecks(
  rule: EgressRule,
  rules: readonly EgressRule[],
): RuleCheck[] {
  const { path } = rule;
  const host = rule.host.replace("*", invented);
  // Nobody knows a host that a wildcard stands for; a rule is enough then.
  const refusals = host === rule.host ? "" : " deny";
  const request = (method: string, at: string, ...args: string[]) =>
    `${shellCommand([
      ...["curl", "-sS", "-i", "-g", "--max-time", "30"],
      ...(method === "HEAD" ? ["-I"] : ["-X", method]),
      ...[...args, `https://${host}${at}`],
    ])} 2>&1 | head -c 1000000`;
  const passes = (what: string, command: string): RuleCheck => ({
    allowed: true,
    what,
    command,
    holds: (output) =>
      statusOf(output) !== undefined &&
      !headOf(output).toLowerCase().includes(`\nx-egress-policy:${refusals}`),
  });
  const refused = (
    what: string,
    command: string,
    reason: string,
  ): RuleCheck => ({
    allowed: false,
    what,
    command,
    holds: (output) =>
      statusOf(output) === 403 &&
      /^x-egress-policy: deny\r?$/im.test(headOf(output)) &&
      output.includes(`(${reason})`),
  });

  const checks: RuleCheck[] = pathsBeside(rule, rules).map((beside) =>
    refused(`GET ${beside}`, request("GET", beside), "path_not_allowed"),
  );
  const unlisted = unlikelyMethods.find(
    (method) => allowingRule(rules, path, method) === undefined,
  );
  if (unlisted !== undefined) {
    const command = request(unlisted, path);
    checks.push(refused(`${unlisted} ${path}`, command, "method_not_allowed"));
  }
  const safe = safeMethod(rules, path);
  const allowing = safe && allowingRule(rules, path, safe);
  if (safe === undefined || !allowing) return checks;

  const key = ["-H", `Authorization: Bearer ${invented}`];
  const denies = clientCredential(allowing.options) === "deny";
  checks.push(passes(`${safe} ${path}`, request(safe, path)));
  if (denies && safe !== "HEAD") {
    checks.push(
      refused(
        `${path} with a key of its own`,
        request(safe, path, ...key),
        "client_credential",
      ),
    );
  }
  const forWebSocket = allowingRule(rules, path, "GET");
  if (forWebSocket) {
    const command = request("GET", path, ...webSocket);
    const what = `WebSocket ${path}`;
    checks.push(
      forWebSocket.options.upgrade
        ? passes(what, command)
        : refused(what, command, "upgrade"),
    );
  }
  return checks;
}

const webSocket = [
  ...["--http1.1", "--max-time", "10"],
  ...["-H", "Connection: Upgrade", "-H", "Upgrade: websocket"],
  ...["-H", "Sec-WebSocket-Version: 13"],
  ...["-H", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="],
];

/** Paths near a rule's own that no rule covers. */
export function pathsBeside(
  { path, exact }: EgressRule,
  rules: readonly EgressRule[],
): string[] {
  const above = path.slice(0, path.replace(/\/$/, "").lastIndexOf("/") + 1);
  return [
    `${above}${invented}`,
    ...(exact ? [`${path}/${invented}`] : []),
  ].filter(
    (beside) =>
      path !== "/" &&
      !rules.some((rule) =>
        covers(rule, { host: rule.host, path: beside, exact: true }),
      ),
  );
}

/** Of a host that passes through: its own certificate, and the hello. */
function spliceChecks(
  host: string,
  rules: readonly EgressRule[],
  gateway: string,
): RuleCheck[] {
  const name = host.replace("*", invented);
  const path = rules[0]?.path ?? "/";
  const ask = shellCommand([
    ...["curl", "-sSv", "-g", "--max-time", "30", "-o", "/dev/null"],
    `https://${name}${path}`,
  ]);
  const hidden = clientHello({
    names: [name],
    after: [encryptedClientHello()],
  });
  const passesHidden = rules.some(({ options }) => options.ech === "allow");
  // Nobody knows a host that a wildcard stands for.
  const isKnown = name === host;
  return [
    ...(isKnown
      ? [
          {
            allowed: true,
            what: `GET ${path}`,
            command: `${ask} 2>&1 | grep -E '^(< HTTP|curl:|\\* +issuer:)'`,
            holds: (output: string) =>
              statusOf(output) !== undefined &&
              !/issuer:.*daytona-edge egress CA/.test(output),
          },
        ]
      : []),
    ...(isKnown || !passesHidden
      ? [
          {
            allowed: passesHidden,
            what: "an encrypted hello",
            command: sendBytes(gateway, records(hidden)),
            holds: (output: string) =>
              passesHidden
                ? /^1[56]/.test(output.trim()) && output.trim() !== alert
                : output.trim() === alert,
          },
        ]
      : []),
  ];
}

/** Names around a host: which ones the resolver and the gateway know. */
function nameChecks(
  host: string,
  rules: readonly EgressRule[],
  gateway: string,
): RuleCheck[] {
  const isWild = host.startsWith("*.");
  const below = isWild
    ? `${invented}.${host.replace("*", invented)}`
    : `${invented}.${host}`;
  const isAllowed = rules.some((rule) => rule.host === `*.${host}`);
  return [
    ...(isWild
      ? [
          {
            allowed: true,
            what: `the name ${invented}`,
            command: `dig +short +time=20 +tries=1 ${host.replace("*", invented)}`,
            holds: (output: string) => output.trim() === gateway,
          },
        ]
      : []),
    ...(isAllowed
      ? []
      : [
          {
            allowed: false,
            what: isWild ? "two labels" : "a name below",
            command: `curl -sS -k --max-time 30 --resolve ${below}:443:${gateway} https://${below}/ 2>&1`,
            holds: (output: string) => /unrecognized.name/i.test(output),
          },
        ]),
  ];
}

/** Shell that sends bytes by TCP to 443, and prints the first ones that come back. */
export function sendBytes(address: string, bytes: Buffer): string {
  return `printf %s ${bytes.toString("base64")} | base64 -d | timeout 12 nc -w 10 ${address} 443 | head -c 7 | od -An -tx1 | tr -d ' \\n'`;
}

/** What a check got, in few words, and none of a host's own. */
export function brief(output: string): string {
  const status = statusOf(output);
  const reason = /"code":"egress_[^}]*\(([a-z_]+)\)/.exec(output)?.[1];
  if (status !== undefined) {
    return reason === undefined
      ? String(status)
      : `${String(status)} ${reason}`;
  }
  const line = output.trim().split("\n", 1)[0] ?? "";
  return line === alert
    ? "TLS alert unrecognized_name"
    : line === ""
      ? "nothing"
      : line.slice(0, 90);
}

function statusOf(output: string): number | undefined {
  const [, status] = /^(?:< )?HTTP\/[\d.]+ (\d{3})/m.exec(output) ?? [];
  return status === undefined ? undefined : Number(status);
}

function headOf(output: string): string {
  return output.split(/\r?\n\r?\n/, 1)[0] ?? "";
}

function uniqueBy<T>(items: readonly T[], key: (item: T) => string): T[] {
  return [...new Map(items.map((item) => [key(item), item])).values()];
}
