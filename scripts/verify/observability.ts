/** Probes of what operators and users see: health, figures, log and error bodies. */
import { setTimeout as sleep } from "node:timers/promises";
import {
  type AccessKey,
  type StackOutputs,
  sandboxUrl,
  signSandboxToken,
} from "../../client/index.ts";
import { answerProbe, curl } from "./answer.ts";
import type { Attempt, Probe } from "./probe.ts";

export interface ObservabilityTarget {
  readonly outputs: StackOutputs;
  readonly key: AccessKey;
  readonly sandbox: string;
  /** Address of the edge's health listener. */
  readonly health: string;
  /** The edge's latest log rows. */
  readonly log: () => Promise<string>;
}

export function observabilityProbes(target: ObservabilityTarget): Probe[] {
  const { outputs, key, sandbox, health } = target;
  const app = sandboxUrl(outputs, { sandbox, port: 3000 });
  const navigation = ["-H", "Sec-Fetch-Mode: navigate"];
  return [
    answerProbe({
      name: "error page for a person",
      command: `curl -i -H "Sec-Fetch-Mode: navigate" -H "Sec-Fetch-Dest: document" ${app}`,
      status: 401,
      code: "token_missing",
      expected: "401 token_missing as HTML",
      ask: () =>
        curl(app, ["-i", ...navigation, "-H", "Sec-Fetch-Dest: document"]),
      judge: (text) => text.includes("content-type: text/html"),
    }),
    answerProbe({
      name: "error for an image",
      command: `curl -i -H "Sec-Fetch-Mode: no-cors" -H "Sec-Fetch-Dest: image" ${app}`,
      status: 401,
      code: "token_missing",
      expected: "401 token_missing as JSON",
      ask: () =>
        curl(app, [
          ...["-i", "-H", "Sec-Fetch-Mode: no-cors"],
          ...["-H", "Sec-Fetch-Dest: image"],
        ]),
      judge: (text) => text.includes("content-type: application/json"),
    }),
    answerProbe({
      name: "health",
      command: `curl http://${health}/healthz`,
      status: 200,
      ask: () => curl(`http://${health}/healthz`),
    }),
    answerProbe({
      name: "metrics of the edge",
      command: `curl http://${health}/metrics`,
      status: 200,
      expected: "200, haproxy_process_uptime_seconds",
      ask: () => curl(`http://${health}/metrics`),
      judge: (text) => /^haproxy_process_uptime_seconds \d+/m.test(text),
    }),
    answerProbe({
      name: "metrics of each sandbox",
      command: `curl http://${health}/metrics/sandboxes`,
      status: 200,
      expected: "200, daytona_edge_sandbox_requests_total",
      ask: () => curl(`http://${health}/metrics/sandboxes`),
      judge: (text) =>
        text.includes("# TYPE daytona_edge_sandbox_requests_total counter"),
    }),
    {
      road: "in",
      name: "the request in the log",
      command: "npm run lab -- logs edge-signed -- -n 100 -o cat",
      expected: "one JSON row, without query and token",
      attempt: logged,
    },
  ];

  async function logged(): Promise<Attempt> {
    const token = await signSandboxToken(key, {
      sandbox,
      ports: 3000,
      id: "verify",
    });
    const { text } = await curl(
      `${app}headers?secret=query&__sandbox_token=${token}`,
      ["-i"],
    );
    const id = /^x-request-id: (\S+?)\r?$/im.exec(text)?.[1];
    if (id === undefined) return { ok: false, got: "no X-Request-Id" };
    for (let attempt = 0; attempt < 20; attempt++) {
      const rows = (await target.log())
        .split("\n")
        .filter((line) => line.includes(id));
      if (rows.length === 0) {
        await sleep(100);
        continue;
      }
      const [line = ""] = rows;
      const row = JSON.parse(line) as Record<string, unknown>;
      return {
        ok:
          rows.length === 1 &&
          row.sandbox === sandbox &&
          row.path === "/headers" &&
          row.status === 200 &&
          row.kid === key.kid &&
          row.jti === "verify" &&
          !line.includes("secret") &&
          !line.includes(token.slice(-20)),
        got: `${String(rows.length)} row: ${String(row.path)} ${String(row.status)} ${String(row.kid)}`,
      };
    }
    return { ok: false, got: `no row with ${id}` };
  }
}
