/** Probes of the road in where the edge itself decides: signed tokens, errors, containment. */
import { execa } from "execa";
import WebSocket from "ws";
import {
  type StackOutputs,
  sandboxUrl,
  signSandboxToken,
} from "../../client/index.ts";
import type { Probe } from "./probe.ts";

export interface SignedTarget {
  readonly outputs: StackOutputs;
  /** Address of the edge's health listener, and of its metrics. */
  readonly health: string;
  /** Two sandboxes with the demo application on 3000. */
  readonly sandbox: string;
  readonly otherSandbox: string;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

export function signedProbes(target: SignedTarget): Probe[] {
  const { outputs, sandbox, otherSandbox } = target;
  const { key } = outputs.access;
  if (!key) throw new Error("The stack has no key to sign tokens with");
  const app = sandboxUrl(outputs, { sandbox, port: 3000 });
  const now = () => Math.floor(Date.now() / 1000);
  const token = (
    change: { sandbox?: string; ports?: number; issuedAt?: number } = {},
  ) => signSandboxToken(key, { sandbox, ports: 3000, ...change });
  const foreign = { kid: key.kid, secret: "x".repeat(48) };

  const probe = (
    name: string,
    command: string,
    expected: string,
    ask: () => Promise<Answer>,
    judge: (answer: Answer) => boolean,
  ): Probe => ({
    road: "in",
    name,
    command,
    expected,
    attempt: async () => {
      const answer = await ask();
      const code = /"code":"(\w+)"/.exec(answer.text)?.[1];
      return {
        ok: judge(answer),
        got: `${String(answer.status)} ${code ?? answer.text.trim().split("\n", 1)[0] ?? ""}`,
      };
    },
  });
  const withToken = (
    name: string,
    make: () => Promise<string>,
    status: number,
    code: string,
    url = app,
  ) =>
    probe(
      name,
      `curl -H "X-Sandbox-Token: $TOKEN" ${url}`,
      `${String(status)} ${code}`,
      async () => curl(url, ["-H", `X-Sandbox-Token: ${await make()}`]),
      (answer) =>
        answer.status === status &&
        (code === "" || answer.text.includes(`"code":"${code}"`)),
    );

  return [
    withToken("signed: good token", token, 200, ""),
    probe(
      "signed: no token",
      `curl ${app}`,
      "401 token_missing",
      () => curl(app, []),
      ({ status, text }) => status === 401 && text.includes('"token_missing"'),
    ),
    withToken(
      "signed: not a token",
      () => Promise.resolve("x"),
      401,
      "token_invalid",
    ),
    withToken(
      "signed: another key",
      () => signSandboxToken(foreign, { sandbox, ports: 3000 }),
      401,
      "token_invalid",
    ),
    withToken(
      "signed: another sandbox's",
      () => token({ sandbox: otherSandbox }),
      401,
      "token_invalid",
    ),
    withToken(
      "signed: another port's",
      () => token({ ports: 8080 }),
      401,
      "token_invalid",
    ),
    withToken(
      "signed: not valid yet",
      () => token({ issuedAt: now() + 600 }),
      401,
      "token_invalid",
    ),
    withToken(
      "signed: expired",
      () => token({ issuedAt: now() - 3600 }),
      401,
      "token_expired",
    ),
    withToken(
      "signed: dead port",
      () => token({ ports: 3999 }),
      503,
      "sandbox_unreachable",
      sandboxUrl(outputs, { sandbox, port: 3999 }),
    ),
    withToken(
      "signed: hanging application",
      token,
      504,
      "sandbox_timeout",
      `${app}silent?seconds=30`,
    ),
    probe(
      "signed: page with a token in its address",
      `curl -i -H "Sec-Fetch-Mode: navigate" "${app}?__sandbox_token=$TOKEN"`,
      "302 to the clean address, with a cookie",
      async () =>
        curl(`${app}headers?a=1&__sandbox_token=${await token()}`, [
          ...["-i", "-H", "Sec-Fetch-Mode: navigate"],
        ]),
      ({ status, text }) =>
        status === 302 &&
        text.includes(`location: ${app}headers?a=1\r`) &&
        /set-cookie: __Host-sandbox=.*; Secure; HttpOnly; SameSite=None; Partitioned; Max-Age=/.test(
          text,
        ),
    ),
    probe(
      "signed: the application sees no token",
      `curl "${app}headers?__sandbox_token=$TOKEN"`,
      "200, without the token",
      async () => {
        const made = await token();
        const answer = await curl(`${app}headers?__sandbox_token=${made}`, [
          ...["-H", `Cookie: __Host-sandbox=${made}`],
        ]);
        return {
          ...answer,
          text: answer.text.includes(made.slice(-20)) ? "the token" : "clean",
        };
      },
      ({ status, text }) => status === 200 && text === "clean",
    ),
    {
      road: "in",
      name: "signed: WebSocket by query token",
      command: `websocat "${app.replace("https", "wss")}ws?__sandbox_token=$TOKEN"`,
      expected: "opens",
      attempt: async () => {
        const url = `${app.replace("https", "wss")}ws?__sandbox_token=${await token()}`;
        return new Promise((resolve, reject) => {
          const socket = new WebSocket(url, { handshakeTimeout: 10_000 });
          socket.on("open", () => {
            socket.close();
            resolve({ ok: true, got: "open" });
          });
          socket.on("error", reject);
        });
      },
    },
    probe(
      "spoofed forwarding fields",
      `curl -H "X-Forwarded-For: 6.6.6.6" -H "Connection: X-Real-IP" ${app}headers`,
      "200, only what the edge saw",
      async () => {
        const answer = await curl(`${app}headers`, [
          ...["--http1.1", "-H", `X-Sandbox-Token: ${await token()}`],
          ...["-H", "X-Forwarded-For: 6.6.6.6", "-H", "X_Real_IP: 6.6.6.6"],
          ...["-H", "Connection: close, X-Real-IP"],
        ]);
        const isClean =
          !answer.text.includes("6.6.6.6") && answer.text.includes("x-real-ip");
        return { ...answer, text: isClean ? "clean" : "spoofed" };
      },
      ({ status, text }) => status === 200 && text === "clean",
    ),
    probe(
      "cookie for all sandboxes",
      `curl -i "${app}cookie?domain=.${outputs.domain}"`,
      "200, its Domain is gone",
      async () => {
        const answer = await curl(`${app}cookie?domain=.${outputs.domain}`, [
          ...["-i", "-H", `X-Sandbox-Token: ${await token()}`],
        ]);
        const isClean = !/domain=/i.test(answer.text);
        return { ...answer, text: isClean ? "clean" : "Domain" };
      },
      ({ status, text }) => status === 200 && text === "clean",
    ),
    probe(
      "a certificate authority's challenge",
      `curl ${app}.well-known/acme-challenge/x`,
      "404 unknown_host",
      () => curl(`${app}.well-known/acme-challenge/x`, []),
      ({ status, text }) => status === 404 && text.includes('"unknown_host"'),
    ),
    probe(
      "two ways to read a request",
      "a request with Content-Length and chunked in HTTP/1.0",
      "400",
      () =>
        curl(app, [
          ...["--http1.0", "-X", "POST", "-H", "Transfer-Encoding: chunked"],
          ...["--data-binary", "0\r\n\r\n"],
        ]),
      ({ status }) => status === 400,
    ),
    probe(
      "error page for a person",
      `curl -i -H "Sec-Fetch-Mode: navigate" -H "Sec-Fetch-Dest: document" ${app}`,
      "401 as HTML",
      () =>
        curl(app, [
          ...["-i", "-H", "Sec-Fetch-Mode: navigate"],
          ...["-H", "Sec-Fetch-Dest: document"],
        ]),
      ({ status, text }) =>
        status === 401 && text.includes("content-type: text/html"),
    ),
    probe(
      "health",
      `curl http://${target.health}/healthz`,
      "200",
      () => curl(`http://${target.health}/healthz`, []),
      ({ status }) => status === 200,
    ),
    probe(
      "metrics of each sandbox",
      `curl http://${target.health}/metrics/sandboxes`,
      "200, daytona_edge_sandbox_requests_total",
      async () => {
        const answer = await curl(
          `http://${target.health}/metrics/sandboxes`,
          [],
        );
        const found = answer.text.includes(
          "# TYPE daytona_edge_sandbox_requests_total counter",
        );
        return { ...answer, text: found ? "counters" : "none" };
      },
      ({ status, text }) => status === 200 && text === "counters",
    ),
  ];
}

async function curl(url: string, args: readonly string[]): Promise<Answer> {
  const { stdout, stderr, exitCode } = await execa(
    "curl",
    ["-sS", "--max-time", "20", "-w", "\n%{http_code}", ...args, url],
    {
      reject: false,
      env: { CURL_CA_BUNDLE: process.env.NODE_EXTRA_CA_CERTS ?? "" },
    },
  );
  if (exitCode !== 0) return { status: 0, text: stderr };
  const mark = stdout.lastIndexOf("\n");
  return {
    status: Number(stdout.slice(mark + 1)),
    text: stdout.slice(0, mark),
  };
}
