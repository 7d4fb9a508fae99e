/** Probes of the road out: commands that run inside a sandbox, by the toolbox. */
import { clientCredential } from "../../infra/gateway/rules.ts";
import type { ForbiddenHost } from "./forbidden-host.ts";
import type { Probe } from "./probe.ts";
import { allowingRule } from "./rule-checks.ts";
import { type RuleTarget, ruleProbes } from "./rule-probes.ts";

/** Test 2 of the request, word for word. */
const chatCompletion = `curl -sS -X POST https://openrouter.ai/api/v1/chat/completions -H "Authorization: Bearer $API_KEY" -H "Content-Type: application/json" -d '{"model":"anthropic/claude-sonnet-4","messages":[{"role":"user","content":"Hello"}]}'`;
const ownKey = ' -H "Authorization: Bearer $API_KEY"';

export interface EgressTarget extends RuleTarget {
  readonly forbidden: ForbiddenHost;
}

export function egressProbes(target: EgressTarget): Probe[] {
  const { rules, gateway, forbidden, execute } = target;
  const { host, ipv4, ipv6 } = forbidden;
  const allowed = (name: string, command: string, proof: RegExp): Probe => ({
    road: "out",
    name,
    command,
    expected: "answered",
    async attempt() {
      const { exitCode, result } = await execute(command);
      return { ok: exitCode === 0 && proof.test(result), got: brief(result) };
    },
  });
  /** Refused means: the command fails, and never for want of the command. */
  const refused = (name: string, command: string, how: RegExp): Probe => ({
    road: "out",
    name,
    command,
    expected: "refused",
    async attempt() {
      const { exitCode, result } = await execute(command);
      return {
        ok: exitCode !== 0 && exitCode !== 127 && how.test(result),
        got: brief(result) || `exit code ${String(exitCode)}`,
      };
    },
  });
  const openRouter = rules.filter((rule) => rule.host === "openrouter.ai");
  const chat = allowingRule(openRouter, "/api/v1/chat/completions", "POST");
  const completion = /"object":\s*"chat\.completion"/;
  return [
    ...(chat && clientCredential(chat.options) !== "deny"
      ? [
          allowed(
            "Test 2 of the request",
            `API_KEY=x; ${chatCompletion}`,
            completion,
          ),
        ]
      : []),
    ...(chat?.options.credential
      ? [
          allowed(
            "Test 2 without a key in the sandbox",
            chatCompletion.replace(ownKey, ""),
            completion,
          ),
        ]
      : []),
    ...ruleProbes(target),
    refused(
      "forbidden host",
      `curl -sS --max-time 5 https://${host}/`,
      /resolve/i,
    ),
    refused(
      "forbidden host, its true address",
      `curl -sS --max-time 5 --resolve ${host}:443:${ipv4} https://${host}/`,
      /connect|refused|timed out|reset/i,
    ),
    refused(
      "forbidden host at the gateway",
      `curl -sS --max-time 5 --resolve ${host}:443:${gateway} https://${host}/`,
      /unrecognized name|alert|SSL|reset/i,
    ),
    refused(
      "raw IP",
      "curl -sS --max-time 5 https://1.1.1.1/",
      /connect|refused|timed out|reset/i,
    ),
    refused(
      "outside resolver, UDP",
      `dig +time=2 +tries=1 @8.8.8.8 ${host}`,
      /timed out|refused|unreachable|no servers/i,
    ),
    refused(
      "outside resolver, TCP",
      `dig +tcp +time=2 +tries=1 @8.8.8.8 ${host}`,
      /timed out|refused|unreachable|reset|no servers/i,
    ),
    refused(
      "IPv6",
      `curl -sS --max-time 5 -g 'https://[${ipv6}]/' -k`,
      /connect|refused|timed out|reset|unreachable/i,
    ),
    {
      road: "out",
      name: "UDP",
      command: "echo hi | nc -u -w 2 1.1.1.1 4444",
      expected: "no echo",
      async attempt() {
        const { exitCode, result } = await execute(
          "echo hi | nc -u -w 2 1.1.1.1 4444",
        );
        return {
          ok: exitCode !== 127 && !result.includes("hi"),
          got: brief(result) || "no echo",
        };
      },
    },
  ];
}

function brief(text: string): string {
  const line = text.trim().replaceAll(/\s+/g, " ");
  return line.length > 90 ? `${line.slice(0, 89)}…` : line;
}
