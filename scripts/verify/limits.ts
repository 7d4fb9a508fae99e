/** Probes of what one client and one sandbox may take. */
import {
  connect,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
} from "node:http2";
import { randomUUID } from "node:crypto";
import {
  type AccessKey,
  type StackOutputs,
  sandboxUrl,
  signSandboxToken,
} from "../../client/index.ts";
import { type Answer, answerProbe, curl } from "./answer.ts";
import type { Attempt, Probe } from "./probe.ts";
import { exchange } from "./raw.ts";

type Answered = IncomingHttpHeaders & IncomingHttpStatusHeader;

export interface LimitsTarget {
  readonly outputs: StackOutputs;
  readonly key: AccessKey;
  readonly sandbox: string;
  /** Requests that a sandbox may get in ten seconds. */
  readonly requests: number;
  readonly headSeconds: number;
}

export function limitsProbes(target: LimitsTarget): Probe[] {
  const { outputs, key, sandbox } = target;
  const app = sandboxUrl(outputs, { sandbox, port: 3000 });
  const { host } = new URL(app);
  const token = () => signSandboxToken(key, { sandbox, ports: 3000 });
  const oversized = (name: string, command: string, fields: string[]) =>
    answerProbe({
      name,
      command,
      status: 400,
      expected: "400",
      ask: async (): Promise<Answer> => {
        const { text } = await exchange(host, [
          `GET / HTTP/1.1\r\nHost: ${host}\r\nX-Sandbox-Token: ${await token()}\r\n${fields.join("\r\n")}\r\n\r\n`,
        ]);
        return {
          status: Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0),
          text,
        };
      },
    });
  return [
    {
      road: "in",
      name: "one greedy sandbox",
      command: `h2load -n ${String(2 * target.requests)} … "https://{sandbox}-3000.${outputs.domain}/?__sandbox_token=$TOKEN"`,
      expected: "429 rate_limited, the others' 200",
      attempt: greed,
    },
    oversized("head of 20 KB", `curl -H "X-Large: 20 KB" ${app}`, [
      `X-Large: ${"x".repeat(20_000)}`,
    ]),
    oversized(
      "head of 200 fields",
      `curl with 200 fields ${app}`,
      Array.from({ length: 200 }, (_, i) => `X-Field-${String(i)}: x`),
    ),
    {
      road: "in",
      name: "head that never ends",
      command: `openssl s_client -connect ${host}:443, then nothing`,
      expected: `408 after ${String(target.headSeconds)} s`,
      attempt: async () => {
        const { text, milliseconds } = await exchange(host, ["GET / HT"]);
        const [line = ""] = text.split("\r\n", 1);
        // No later bound: a busy computer is slow to notice.
        const early = milliseconds / 1_000 < target.headSeconds - 1;
        return {
          ok: line.startsWith("HTTP/1.1 408") && !early,
          got: `${line} after ${(milliseconds / 1_000).toFixed(1)} s`,
        };
      },
    },
  ];

  /**
   * A sandbox that does not exist gets more pages than one may; the edge turns
   * each to its clean address itself, so nothing stands behind it. HAProxy's
   * rate slides over two periods and forgets some meanwhile, so up to twice as
   * many are asked for.
   */
  async function greed(): Promise<Attempt> {
    const greedy = randomUUID();
    const url = new URL(sandboxUrl(outputs, { sandbox: greedy, port: 3000 }));
    const made = await signSandboxToken(key, { sandbox: greedy, ports: 3000 });
    const session = connect(url.origin);
    const start = performance.now();
    const last: Answered[] = [];
    let asked = 0;
    const work = async () => {
      while (last.length === 0 && asked < 2 * target.requests) {
        asked++;
        const stream = session.request({
          ":path": `/?__sandbox_token=${made}`,
          "sec-fetch-mode": "navigate",
        });
        const headers = await new Promise<Answered>((resolve, reject) => {
          stream.on("response", resolve).on("error", reject);
        });
        stream.resume();
        if (headers[":status"] !== 302) last.push(headers);
      }
    };
    try {
      await new Promise((resolve, reject) => {
        session.on("error", reject);
        resolve(Promise.all(Array.from({ length: 100 }, work)));
      });
    } finally {
      session.close();
    }
    const periods = (performance.now() - start) / 10_000;
    const other = await curl(app, ["-H", `X-Sandbox-Token: ${await token()}`]);
    const [refused] = last;
    const fastest = Math.round(asked / periods);
    if (!refused && fastest < target.requests) {
      // What stays below the limit is not to be refused.
      return {
        ok: other.status === 200,
        got: `this computer asked ${String(fastest)} times in 10 s, and ${String(target.requests)} are let through; another ${String(other.status)}`,
      };
    }
    const status = String(refused?.[":status"] ?? "never refused");
    return {
      ok:
        last.length > 0 &&
        last.every(
          (headers) =>
            headers[":status"] === 429 &&
            headers["x-sandbox-error"] === "rate_limited" &&
            Number(headers["retry-after"]) > 0,
        ) &&
        other.status === 200,
      got: `${status} after ${String(asked - last.length)} requests; another ${String(other.status)}`,
    };
  }
}
