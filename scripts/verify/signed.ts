/** Probes of signed access: which token opens what, and what becomes of it. */
import { SignJWT } from "jose";
import WebSocket from "ws";
import {
  type AccessKey,
  type StackOutputs,
  sandboxUrl,
  signSandboxToken,
} from "../../client/index.ts";
import { type Answer, answerProbe, curl } from "./answer.ts";
import type { Probe } from "./probe.ts";

export interface SignedTarget {
  readonly outputs: StackOutputs;
  readonly key: AccessKey;
  /** The key that will sign after the next rotation. */
  readonly nextKey: AccessKey;
  /** Two sandboxes with the demo application on 3000. */
  readonly sandbox: string;
  readonly otherSandbox: string;
}

/** No sandbox has this id. */
export const noSandbox = "11111111-2222-4333-8444-555555555555";

export function signedProbes(target: SignedTarget): Probe[] {
  const { outputs, key, nextKey, sandbox, otherSandbox } = target;
  const app = sandboxUrl(outputs, { sandbox, port: 3000 });
  const now = () => Math.floor(Date.now() / 1000);
  const token = (
    change: { sandbox?: string; ports?: number; issuedAt?: number } = {},
  ) => signSandboxToken(key, { sandbox, ports: 3000, ...change });
  const withToken = (
    name: string,
    make: () => Promise<string>,
    status: number,
    code?: string,
    url = app,
  ) =>
    answerProbe({
      name: `signed: ${name}`,
      command: `curl -H "X-Sandbox-Token: $TOKEN" ${url}`,
      status,
      ...(code === undefined ? {} : { code }),
      ask: async () => curl(url, ["-H", `X-Sandbox-Token: ${await make()}`]),
    });
  const invalid = (name: string, make: () => Promise<string>) =>
    withToken(name, make, 401, "token_invalid");
  const withAlgorithm = (alg: string, secret: string) =>
    new SignJWT({ ports: 3000 })
      .setProtectedHeader({ alg, kid: key.kid })
      .setSubject(sandbox)
      .setIssuedAt()
      .setExpirationTime("5m")
      .sign(Buffer.from(secret));

  return [
    withToken("good token", token, 200),
    withToken(
      "token of the next key",
      () => signSandboxToken(nextKey, { sandbox, ports: 3000 }),
      200,
    ),
    answerProbe({
      name: "signed: no token",
      command: `curl ${app}`,
      status: 401,
      code: "token_missing",
      ask: () => curl(app),
    }),
    invalid("not a token", () => Promise.resolve("x")),
    invalid(
      "token of 8 KB",
      async () => `${await token()}${"x".repeat(8_192)}`,
    ),
    invalid("another algorithm", () =>
      withAlgorithm("HS512", key.secret.repeat(2)),
    ),
    invalid("no algorithm", async () => {
      const [, claims = "", signature = ""] = (await token()).split(".");
      const header = { alg: "none", kid: key.kid };
      return `${Buffer.from(JSON.stringify(header)).toString("base64url")}.${claims}.${signature}`;
    }),
    invalid("another key", () =>
      signSandboxToken(
        { kid: key.kid, secret: "x".repeat(48) },
        { sandbox, ports: 3000 },
      ),
    ),
    invalid("a key nobody knows", () =>
      signSandboxToken({ ...key, kid: "nobody" }, { sandbox, ports: 3000 }),
    ),
    invalid("another sandbox's", () => token({ sandbox: otherSandbox })),
    invalid("another port's", () => token({ ports: 8080 })),
    invalid("not valid yet", () => token({ issuedAt: now() + 600 })),
    withToken(
      "expired",
      () => token({ issuedAt: now() - 3600 }),
      401,
      "token_expired",
    ),
    withToken(
      "dead port",
      () => token({ ports: 3999 }),
      503,
      "sandbox_unreachable",
      sandboxUrl(outputs, { sandbox, port: 3999 }),
    ),
    withToken(
      "unknown sandbox",
      () => token({ sandbox: noSandbox }),
      503,
      "sandbox_unreachable",
      sandboxUrl(outputs, { sandbox: noSandbox, port: 3000 }),
    ),
    withToken(
      "hanging application",
      token,
      504,
      "sandbox_timeout",
      `${app}silent?seconds=30`,
    ),
    answerProbe({
      name: "signed: the first token decides",
      command: `curl -H "X-Sandbox-Token: x" "${app}?__sandbox_token=$TOKEN"`,
      status: 401,
      code: "token_invalid",
      ask: async () =>
        curl(`${app}?__sandbox_token=${await token()}`, [
          ...["-H", "X-Sandbox-Token: x"],
        ]),
    }),
    answerProbe({
      name: "signed: token in a cookie",
      command: `curl -b "__Host-sandbox=$TOKEN" ${app}`,
      status: 200,
      ask: async () => curl(app, ["-b", `__Host-sandbox=${await token()}`]),
    }),
    answerProbe({
      name: "signed: page with a token in its address",
      command: `curl -i -H "Sec-Fetch-Mode: navigate" "${app}?__sandbox_token=$TOKEN"`,
      status: 302,
      expected: "302 to the clean address, with a cookie",
      ask: async () =>
        curl(`${app}headers?a=1&__sandbox_token=${await token()}`, [
          ...["-i", "-H", "Sec-Fetch-Mode: navigate"],
        ]),
      judge: (text) =>
        text.includes(`location: ${app}headers?a=1\r`) &&
        /set-cookie: __Host-sandbox=.*; Secure; HttpOnly; SameSite=None; Partitioned; Max-Age=/.test(
          text,
        ) &&
        text.includes("referrer-policy: no-referrer"),
    }),
    answerProbe({
      name: "signed: the application sees no token",
      command: `curl "${app}headers?__sandbox_token=$TOKEN"`,
      status: 200,
      expected: "200, without the token",
      ask: async () => {
        const made = await token();
        const answer = await curl(`${app}headers?__sandbox_token=${made}`, [
          ...["-H", `Cookie: __Host-sandbox=${made}`],
          ...["-H", `Referer: ${app}?__sandbox_token=${made}`],
        ]);
        return said(answer, !answer.text.includes(made.slice(-20)));
      },
      judge: (text) => text === clean,
    }),
    {
      road: "in",
      name: "signed: WebSocket by query token",
      command: `websocat "${app.replace("https", "wss")}ws?__sandbox_token=$TOKEN"`,
      expected: "opens",
      attempt: async () => {
        const url = `${app.replace("https", "wss")}ws?__sandbox_token=${await token()}`;
        return new Promise((resolve, reject) => {
          const socket = new WebSocket(url, { handshakeTimeout: 60_000 });
          socket.on("open", () => {
            socket.close();
            resolve({ ok: true, got: "open" });
          });
          socket.on("error", reject);
        });
      },
    },
  ];
}

/** What a probe says of an answer with nothing in it that should not be. */
export const clean = "clean";

/** The answer, with a verdict on its body instead of the body. */
export function said(answer: Answer, isClean: boolean): Answer {
  return answer.status === 200
    ? { ...answer, text: isClean ? clean : "not clean" }
    : answer;
}
