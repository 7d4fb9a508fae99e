/** Probes of the ingress: from a client, through the edge, to a sandbox. */
import { type AccessKey, signSandboxToken } from "../../client/index.ts";
import { answerProbe } from "./answer.ts";
import type { Probe } from "./probe.ts";

export interface IngressTarget {
  readonly domain: string;
  /** A sandbox that anybody may reach, or with signed access whoever has a token. */
  readonly sandbox: string;
  /** A port that answers HEAD there. */
  readonly port: number;
  /** Signs tokens; absent where access is not signed. */
  readonly key: AccessKey | undefined;
  /** Whether a sandbox that is not there is hidden behind the question for a token. */
  readonly asksStrangers: boolean;
}

/** No sandbox has this id. */
const noSandbox = "11111111-2222-4333-8444-555555555555";

/** What holds for any sandbox, whatever runs in it. */
export function ingressProbes(target: IngressTarget): Probe[] {
  const { domain, sandbox, port, key, asksStrangers } = target;
  const host = (id: string, port: number | string) =>
    `${id}-${String(port)}.${domain}`;
  const app = host(sandbox, port);
  const claims = { sandbox, ports: port };
  const token = key && (() => signSandboxToken(key, claims));
  const answered = (
    name: string,
    version: "HTTP/2" | "HTTP/1.1",
    url: string,
    expected = `${version} 200`,
  ) =>
    answerProbe({
      ...{ name, url, token, status: 200, expected },
      args: [...(version === "HTTP/2" ? [] : ["--http1.1"]), "-I"],
      judge: (text) => text.startsWith(`${version} 200`),
    });
  const error = (name: string, host: string, status: number, code: string) =>
    answerProbe({ name, url: `https://${host}/`, status, code });
  return [
    answered(
      "Test 1 of the request",
      "HTTP/2",
      `https://${app}`,
      "HTTP/2 200, certificate verified",
    ),
    answered("HTTP/1.1", "HTTP/1.1", `https://${app}`),
    answered(
      "Daytona's own host order",
      "HTTP/2",
      `https://${String(port)}-${sandbox}.${domain}`,
    ),
    error("denied port", host(sandbox, 2280), 403, "port_denied"),
    error(
      "port with a leading zero",
      host(sandbox, "02280"),
      404,
      "unknown_host",
    ),
    asksStrangers
      ? error("unknown sandbox", host(noSandbox, port), 401, "token_missing")
      : error(
          "unknown sandbox",
          host(noSandbox, port),
          503,
          "sandbox_unreachable",
        ),
    answerProbe({
      name: "plain HTTP",
      url: `http://${app}/`,
      args: ["-I"],
      status: 308,
      expected: `redirect to https://${app}/`,
      judge: (text) => text.toLowerCase().includes(`location: https://${app}/`),
    }),
    ...(key ? tokenProbes(target, key) : []),
  ];
}

/** Which tokens open nothing. */
function tokenProbes(
  { domain, sandbox, port }: IngressTarget,
  key: AccessKey,
): Probe[] {
  const claims = { sandbox, ports: port };
  const refused = (name: string, code: string, token?: () => Promise<string>) =>
    answerProbe({
      ...{ name: `signed: ${name}`, token, status: 401, code },
      url: `https://${sandbox}-${String(port)}.${domain}`,
    });
  const signed = (change: object, by = key) =>
    signSandboxToken(by, { ...claims, ...change });
  return [
    refused("no token", "token_missing"),
    refused("another key", "token_invalid", () =>
      signed({}, { kid: key.kid, secret: "x".repeat(48) }),
    ),
    refused("another sandbox's", "token_invalid", () =>
      signed({ sandbox: noSandbox }),
    ),
    refused("another port's", "token_invalid", () =>
      signed({ ports: port === 8080 ? 3000 : 8080 }),
    ),
    refused("expired", "token_expired", () =>
      signed({ issuedAt: Math.floor(Date.now() / 1000) - 3600 }),
    ),
  ];
}
