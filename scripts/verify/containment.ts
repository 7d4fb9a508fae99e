/** Probes of what keeps sandboxes and strangers apart. */
import { type IncomingHttpHeaders, connect } from "node:http2";
import { text } from "node:stream/consumers";
import {
  type AccessKey,
  type StackOutputs,
  sandboxUrl,
  signSandboxToken,
} from "../../client/index.ts";
import { answerProbe, curl } from "./answer.ts";
import type { Attempt, Probe } from "./probe.ts";
import { exchange } from "./raw.ts";
import { clean, said } from "./signed.ts";

export interface ContainmentTarget {
  readonly outputs: StackOutputs;
  readonly key: AccessKey;
  readonly sandbox: string;
  readonly otherSandbox: string;
  /** Id whose name leads out of the sandboxes' networks, to a live server on 3000. */
  readonly stray: string;
  readonly halfClosedSeconds: number;
}

export function containmentProbes(target: ContainmentTarget): Probe[] {
  const { outputs, key, sandbox, otherSandbox, stray } = target;
  const app = sandboxUrl(outputs, { sandbox, port: 3000 });
  const { host } = new URL(app);
  const token = (id = sandbox) =>
    signSandboxToken(key, { sandbox: id, ports: 3000 });
  const tokenField = async () => ["-H", `X-Sandbox-Token: ${await token()}`];
  const twoReadings = (name: string, fields: readonly string[]) =>
    answerProbe({
      name,
      command: `a request with ${fields.join(" and ")}`,
      status: 400,
      expected: "400, the connection closed",
      ask: async () => {
        const { text: answer } = await exchange(host, [
          `POST / HTTP/1.1\r\nHost: ${host}\r\nX-Sandbox-Token: ${await token()}\r\n${fields.join("\r\n")}\r\n\r\n0\r\n\r\n`,
          `GET /second HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
        ]);
        const answers = answer.match(/HTTP\/1\.1 \d+/g) ?? [];
        const status = answers.length === 1 ? answers[0]?.slice(9) : 0;
        return { status: Number(status), text: answer };
      },
    });

  return [
    answerProbe({
      name: "spoofed forwarding fields",
      command: `curl -H "X-Forwarded-For: 6.6.6.6" -H "Connection: X-Real-IP" ${app}headers`,
      status: 200,
      expected: "200, only what the edge saw",
      ask: async () => {
        const answer = await curl(`${app}headers`, [
          ...["--http1.1", ...(await tokenField())],
          ...["-H", "X-Forwarded-For: 6.6.6.6", "-H", "X_Real_IP: 6.6.6.6"],
          ...["-H", "Connection: close, X-Real-IP"],
        ]);
        return said(
          answer,
          !answer.text.includes("6.6.6.6") && answer.text.includes("x-real-ip"),
        );
      },
      judge: (body) => body === clean,
    }),
    answerProbe({
      name: "cookie for all sandboxes",
      command: `curl -i "${app}cookie?domain=.${outputs.domain}"`,
      status: 200,
      expected: "200, its Domain is gone",
      ask: async () => {
        const answer = await curl(`${app}cookie?domain=.${outputs.domain}`, [
          ...["-i", ...(await tokenField())],
        ]);
        return said(answer, !/domain=/i.test(answer.text));
      },
      judge: (body) => body === clean,
    }),
    answerProbe({
      name: "a certificate authority's challenge",
      command: `curl ${app}.well-known/acme-challenge/x`,
      status: 404,
      code: "unknown_host",
      ask: async () =>
        curl(`${app}.well-known/acme-challenge/x`, await tokenField()),
    }),
    answerProbe({
      name: "chunked, in HTTP/1.0",
      command: "a request that is chunked, in HTTP/1.0",
      status: 400,
      code: "bad_request",
      ask: async () =>
        curl(app, [
          ...["--http1.0", "-X", "POST", "-H", "Transfer-Encoding: chunked"],
          ...["--data-binary", "0\r\n\r\n", ...(await tokenField())],
        ]),
    }),
    twoReadings("two lengths", ["Content-Length: 5", "Content-Length: 6"]),
    twoReadings("chunked, but not last", ["Transfer-Encoding: chunked, x"]),
    {
      road: "in",
      name: "several hosts on one HTTP/2 connection",
      command: `one connection: two sandboxes, then a foreign token, a foreign name`,
      expected: "each its own: 200 200 401 404",
      attempt: coalesced,
    },
    answerProbe({
      name: "a name that leads to Daytona itself",
      command: `curl ${sandboxUrl(outputs, { sandbox: stray, port: 3000 })}`,
      status: 503,
      code: "sandbox_unreachable",
      ask: async () =>
        curl(sandboxUrl(outputs, { sandbox: stray, port: 3000 }), [
          ...["-H", `X-Sandbox-Token: ${await token(stray)}`],
        ]),
    }),
    answerProbe({
      name: "an answer that is none",
      command: `curl ${app}broken`,
      status: 502,
      code: "sandbox_bad_answer",
      ask: async () => curl(`${app}broken`, await tokenField()),
    }),
    {
      road: "in",
      name: "a stream that the application never ends",
      command: "a WebSocket, closed by its client only",
      expected: `ended after ${String(target.halfClosedSeconds)} s`,
      attempt: halfClosedStream,
    },
  ];

  /** As a browser does for names of one certificate (RFC 9113, 9.1.1). */
  async function coalesced(): Promise<Attempt> {
    const session = connect(new URL(app).origin);
    // Its requests tell of it.
    session.on("error", () => undefined);
    const ask = async (authority: string, given: string) => {
      const stream = session.request({
        ":authority": authority,
        "x-sandbox-token": given,
      });
      const headers = await new Promise<IncomingHttpHeaders>(
        (resolve, reject) => {
          stream.on("response", resolve).on("error", reject);
        },
      );
      const body = await text(stream);
      const from = /"sandbox":"([^"]+)"/.exec(body)?.[1];
      return { status: Number(headers[":status"]), from };
    };
    const other = new URL(
      sandboxUrl(outputs, { sandbox: otherSandbox, port: 3000 }),
    ).host;
    try {
      const [own, foreign] = [await token(), await token(otherSandbox)];
      const answers = [
        await ask(host, own),
        await ask(other, foreign),
        await ask(other, own),
        await ask("example.org", own),
      ];
      const statuses = answers.map(({ status }) => status).join(" ");
      return {
        ok:
          statuses === "200 200 401 404" &&
          answers[0]?.from === sandbox &&
          answers[1]?.from === otherSandbox,
        got: statuses,
      };
    } finally {
      session.close();
    }
  }

  async function halfClosedStream(): Promise<Attempt> {
    const request = `GET /stubborn HTTP/1.1\r\nHost: ${host}\r\nX-Sandbox-Token: ${await token()}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`;
    const { text: answer, milliseconds } = await exchange(host, [request], {
      endsFirst: true,
    });
    const seconds = milliseconds / 1_000;
    const wanted = target.halfClosedSeconds;
    return {
      ok:
        answer.startsWith("HTTP/1.1 101") &&
        seconds >= wanted &&
        seconds < wanted + 8,
      got: `${answer.slice(9, 12)}, ended after ${seconds.toFixed(1)} s`,
    };
  }
}
