/** Probes of the road in: from a client, through the edge, to a sandbox. */
import { execa } from "execa";
import WebSocket from "ws";
import { answerProbe, curl } from "./answer.ts";
import type { Attempt, Probe } from "./probe.ts";
import { noSandbox } from "./signed.ts";

export interface IngressTarget {
  readonly domain: string;
  /** A sandbox that anybody may reach, and a port that answers HEAD there. */
  readonly sandbox: string;
  readonly port: number;
}

/** What holds for any sandbox, whatever runs in it. */
export function ingressProbes({
  domain,
  sandbox,
  port,
}: IngressTarget): Probe[] {
  const host = (id: string, port: number | string) =>
    `${id}-${String(port)}.${domain}`;
  const app = host(sandbox, port);
  return [
    curlProbe({
      name: "Test 1 of the request",
      args: ["-I", `https://${app}`],
      expected: "HTTP/2 200, certificate verified",
      judge: (out) => /^HTTP\/2 200/.test(out),
    }),
    curlProbe({
      name: "HTTP/1.1",
      args: ["--http1.1", "-I", `https://${app}`],
      expected: "HTTP/1.1 200",
      judge: (out) => /^HTTP\/1\.1 200/.test(out),
    }),
    curlProbe({
      name: "Daytona's own host order",
      args: ["-I", `https://${String(port)}-${sandbox}.${domain}`],
      expected: "HTTP/2 200",
      judge: (out) => /^HTTP\/2 200/.test(out),
    }),
    errorProbe("denied port", host(sandbox, 2280), 403, "port_denied"),
    errorProbe(
      "port with a leading zero",
      host(sandbox, "02280"),
      404,
      "unknown_host",
    ),
    errorProbe("unknown sandbox", host(noSandbox, port), 401, "token_missing"),
    curlProbe({
      name: "plain HTTP",
      args: ["-I", `http://${app}/`],
      expected: `redirect to https://${app}/`,
      judge: (out) =>
        /^HTTP\/1\.1 30[18]/.test(out) &&
        out.toLowerCase().includes(`location: https://${app}/`),
    }),
  ];
}

export interface DemoTarget {
  readonly domain: string;
  /** A sandbox that is public in Daytona, with the demo application on 3000. */
  readonly publicSandbox: string;
  /** A sandbox that is private in Daytona, and its preview token. */
  readonly privateSandbox: string;
  readonly previewToken: string;
  /** Makes a public sandbox and stops it; `remove` takes it away again. */
  readonly stopped: () => Promise<{ id: string; remove(): Promise<void> }>;
}

/** What the demo application answers, and Daytona for it. */
export function demoProbes(target: DemoTarget): Probe[] {
  const host = (id: string, port: number | string) =>
    `${id}-${String(port)}.${target.domain}`;
  const app = host(target.publicSandbox, 3000);
  const guarded = host(target.privateSandbox, 3000);
  return [
    {
      road: "in",
      name: "WebSocket echo",
      command: `websocat wss://${app}/ws`,
      expected: "the message comes back",
      attempt: () => webSocketEcho(`wss://${app}/ws`),
    },
    curlProbe({
      name: "SSE first event",
      args: [
        "-N",
        "--max-time",
        "3",
        `https://${app}/sse?interval=200&count=2`,
      ],
      expected: "data: at once",
      judge: (out) => /^(id|event|data):/m.test(out),
    }),
    errorProbe("private sandbox, no token", guarded, 401, "token_missing"),
    curlProbe({
      name: "private sandbox, preview token",
      args: [
        "-I",
        "-H",
        `X-Daytona-Preview-Token: ${target.previewToken}`,
        `https://${guarded}`,
      ],
      shown: `curl -I -H "X-Daytona-Preview-Token: $TOKEN" https://${guarded}`,
      expected: "HTTP/2 200",
      judge: (out) => /^HTTP\/2 200/.test(out),
    }),
    {
      road: "in",
      name: "stopped sandbox",
      command: "curl https://{sandbox}-3000…/ of a sandbox that is stopped",
      expected: "503 sandbox_unreachable",
      attempt: async () => {
        const sandbox = await target.stopped();
        try {
          return await answerProbe({
            name: "",
            command: "",
            status: 503,
            code: "sandbox_unreachable",
            ask: () => curl(`https://${host(sandbox.id, 3000)}/`),
          }).attempt();
        } finally {
          await sandbox.remove();
        }
      },
    },
    answerProbe({
      name: "cookies of Daytona's own login",
      command: `curl -b "daytona-sandbox-auth-{another}=x; own=1" https://${app}/headers`,
      status: 200,
      expected: "200, only the sandbox's own",
      ask: async () => {
        const cookie = (id: string) => `daytona-sandbox-auth-${id}=${id}`;
        const { status, text } = await curl(`https://${app}/headers`, [
          "-b",
          `${cookie(target.privateSandbox)}; own=1; ${cookie(noSandbox)}`,
        ]);
        const sent = /"cookie":"([^"]*)"/.exec(text)?.[1] ?? "none";
        return { status, text: sent };
      },
      judge: (sent) => sent === "own=1",
    }),
  ];
}

interface CurlProbe {
  name: string;
  args: string[];
  /** The command as shown, when its arguments hold a secret. */
  shown?: string;
  expected: string;
  judge: (output: string) => boolean;
}

function curlProbe({ name, args, shown, expected, judge }: CurlProbe): Probe {
  return {
    road: "in",
    name,
    command: shown ?? `curl ${args.join(" ")}`,
    expected,
    async attempt() {
      const result = await curlOutput(args);
      return {
        ok: judge(result.stdout),
        got: firstLine(result.stdout) || firstLine(result.stderr),
      };
    },
  };
}

function errorProbe(
  name: string,
  host: string,
  status: number,
  code: string,
): Probe {
  const url = `https://${host}/`;
  return answerProbe({
    name,
    command: `curl ${url}`,
    status,
    code,
    ask: () => curl(url),
  });
}

function curlOutput(args: string[]) {
  return execa("curl", ["-sS", "--max-time", "15", ...args], {
    reject: false,
    env: { CURL_CA_BUNDLE: process.env.NODE_EXTRA_CA_CERTS ?? "" },
  });
}

function webSocketEcho(url: string): Promise<Attempt> {
  const message = `echo ${String(Math.random())}`;
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { handshakeTimeout: 60_000 });
    const timer = setTimeout(() => {
      socket.terminate();
      reject(new Error("no echo within 60 s"));
    }, 60_000);
    socket.on("open", () => {
      socket.send(message);
    });
    socket.on("message", (received: Buffer) => {
      const text = received.toString();
      clearTimeout(timer);
      socket.close();
      resolve({ ok: text === message, got: `"${text}"` });
    });
    socket.on("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
  });
}

function firstLine(text: string): string {
  return text.trim().split(/\r?\n/, 1)[0] ?? "";
}
