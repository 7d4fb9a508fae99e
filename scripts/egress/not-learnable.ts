/** Why a refusal is in no diff: what a rule would need, or that none can help. */
import { parseUrlPattern } from "../../infra/gateway/rule-url.ts";
import { type EgressRule, covers } from "../../infra/gateway/rules.ts";
import type { Denial } from "./denials.ts";

/** The proxy's words for what no rule can allow. */
const never: Readonly<Record<string, string>> = {
  not_tls: "is no TLS, and nothing else can be checked",
  hello_shape: "hides its name in an unusual TLS hello",
  hello_incomplete: "never ended its TLS hello",
  no_name: "gives no host name; an IP address cannot be allowed",
  encrypted_hello: "hides its true name (ECH); a rule may say ech: allow",
  no_address: "has no IPv4 address",
  address_refused: "leads to an address that is private",
  host_mismatch: "asks for another host than its TLS name",
  method: "has a method that cannot be allowed",
  path_not_canonical: "has a path with more than one meaning",
  upgrade: "asks for an upgrade; a rule may say upgrade: websocket",
  client_credential: "brings a credential that the nearest rule keeps away",
  credential_missing: "needs a credential that the gateway does not have",
  plain_http: "is plain HTTP; only TLS can be checked",
};

/**
 * What a refusal means for the rule list.
 * @param rules what would be allowed with the diff
 * @returns undefined when a rule allows it by now
 */
export function whyNotLearnt(
  denial: Pick<Denial, "by" | "reason" | "wanted">,
  rules: readonly EgressRule[],
): string | undefined {
  const { by, reason, wanted } = denial;
  if (by === "firewall") {
    return "is an address; only host names on 443 can be allowed";
  }
  if (by === "resolver") {
    const [name = "", type = ""] = wanted.split(" ");
    return reason === "name_not_allowed" && ["A", "AAAA"].includes(type)
      ? refusedHost(name, "/*", "only its name was asked for", rules)
      : "is a question that is never answered; hosts need A only";
  }
  const [, host = wanted, path = "/*"] =
    /^[A-Z]+ ([^/]*)(\/.*)$/.exec(wanted) ?? [];
  return (
    never[reason] ??
    refusedHost(
      host,
      path,
      "was refused, not learnt",
      reason === "method_not_allowed" ? [] : rules,
    )
  );
}

function refusedHost(
  host: string,
  path: string,
  what: string,
  rules: readonly EgressRule[],
): string | undefined {
  const url = `https://${host}${path}`;
  const pattern = parseUrlPattern(url, false);
  if (typeof pattern === "string") {
    return "is no name or path that a rule can have";
  }
  if (
    rules.some(
      (rule) => rule.host === host && (path === "/*" || covers(rule, pattern)),
    )
  )
    return undefined;
  return `${what}; its rule would be ${url}`;
}
