/** Probes of the road out: commands that run inside a sandbox, by the toolbox. */
import type { Probe } from "./probe.ts";

/** Runs a command in the sandbox under test. */
export type Execute = (
  command: string,
) => Promise<{ exitCode: number; result: string }>;

/** Test 2 of the request, word for word but for the key. */
const chatCompletion = `curl -sS -X POST https://openrouter.ai/api/v1/chat/completions -H "Authorization: Bearer $API_KEY" -H "Content-Type: application/json" -d '{"model":"anthropic/claude-sonnet-4","messages":[{"role":"user","content":"Hello"}]}'`;

export function egressProbes(execute: Execute): Probe[] {
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
  return [
    allowed(
      "Test 2 of the request",
      `API_KEY=x; ${chatCompletion}`,
      /"object":\s*"chat\.completion"/,
    ),
    allowed(
      "api.anthropic.com",
      `curl -sS https://api.anthropic.com/v1/messages -H "x-api-key: x" -H "anthropic-version: 2023-06-01" -H "Content-Type: application/json" -d '{"model":"claude-sonnet-4-0","max_tokens":16,"messages":[{"role":"user","content":"Hello"}]}'`,
      /"type":\s*"message"/,
    ),
    allowed("api.github.com", "curl -fsS https://api.github.com/zen", /\w/),
    {
      road: "out",
      name: "forbidden path",
      command: "curl https://openrouter.ai/",
      expected: "403 egress_denied",
      async attempt() {
        const { result } = await execute(
          "curl -sS -w '\\n%{http_code}' https://openrouter.ai/",
        );
        return {
          ok: /"egress_denied"/.test(result) && result.endsWith("403"),
          got: brief(result),
        };
      },
    },
    refused(
      "forbidden host",
      "curl -sS --max-time 5 https://example.org/",
      /resolve/i,
    ),
    refused(
      "forbidden host, its true address",
      "curl -sS --max-time 5 --resolve example.org:443:203.0.113.20 https://example.org/",
      /connect|refused|timed out|reset/i,
    ),
    refused(
      "forbidden host at the gateway",
      "curl -sS --max-time 5 --resolve example.org:443:169.254.20.1 https://example.org/",
      /unrecognized name|alert|SSL|reset/i,
    ),
    refused(
      "raw IP",
      "curl -sS --max-time 5 https://1.1.1.1/",
      /connect|refused|timed out|reset/i,
    ),
    refused(
      "outside resolver, UDP",
      "dig +time=2 +tries=1 @8.8.8.8 example.org",
      /timed out|refused|unreachable|no servers/i,
    ),
    refused(
      "outside resolver, TCP",
      "dig +tcp +time=2 +tries=1 @8.8.8.8 example.org",
      /timed out|refused|unreachable|reset|no servers/i,
    ),
    refused(
      "IPv6",
      "curl -sS --max-time 5 -g 'https://[2001:db8:203::20]/' -k",
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
