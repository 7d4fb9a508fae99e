/**
 * What keeps sandboxes, strangers and Daytona's own weak points apart.
 *
 * @module-tag edge
 */
import { describe, expect, test } from "vitest";
import { labSecrets } from "../../scripts/lab/secrets.ts";
import {
  DOMAIN,
  FIRST_SANDBOX,
  SECOND_SANDBOX,
  SIGNED_DOMAIN,
  inLab,
  labCurl,
  signedOutputs,
} from "./lab.ts";
import { addSandbox, removeSandbox } from "./own-sandbox.ts";
import { startListener } from "./sandbox-listener.ts";
import { claims, sign } from "./tokens.ts";

const id = FIRST_SANDBOX;
const app = `https://${id}-3000.${DOMAIN}`;
const signedApp = `https://${id}-3000.${SIGNED_DOMAIN}`;

async function ask(url: string, args: string[] = []) {
  const { stdout } = await labCurl([
    ...["--max-time", "240", "-w", "\n%{http_code}"],
    ...args,
    url,
  ]);
  const status = stdout.split("\n").at(-1) ?? "";
  const code = /"code":"([a-z_]+)","message"/.exec(stdout)?.[1];
  return { status, code, body: stdout };
}
async function headersSeen(url: string, fields: string[], more: string[] = []) {
  const { body } = await ask(`${url}/headers`, [
    ...more,
    ...fields.flatMap((field) => ["-H", field]),
  ]);
  const [text = ""] = body.split("\n");
  return (JSON.parse(text) as { headers: Record<string, string> }).headers;
}
const token = async () =>
  `X-Sandbox-Token: ${sign((await signedOutputs()).access.key, claims(id, "*"))}`;

/** Each edge's application, with the fields that open it. */
const applications = async () =>
  [
    [app, []],
    [signedApp, [await token()]],
  ] as const;

describe("fields of one connection", () => {
  test.each(["--http1.1", "--http2"])(
    "are the edge's own business: %s",
    async (version) => {
      for (const [url, extra] of await applications()) {
        const headers = await headersSeen(
          url,
          [
            ...extra,
            ...(version === "--http1.1"
              ? [
                  // Without the edge, the next hop would drop these three.
                  "Connection: close, X-Real-IP, X-Forwarded-For, X-Request-Id",
                  "Keep-Alive: timeout=5",
                  "Upgrade: h2c",
                  "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
                ]
              : []),
            "Proxy-Authorization: Basic eDp4",
            "TE: gzip",
          ],
          [version, "-4"],
        );
        expect(headers["x-real-ip"]).toBe("198.18.0.1");
        expect(headers["x-forwarded-for"]).toMatch(/^198\.18\.0\.1/);
        expect(headers["x-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
        expect(headers.connection ?? "").toMatch(/^(close|keep-alive)?$/);
        for (const name of [
          "keep-alive",
          "upgrade",
          "http2-settings",
          "proxy-authorization",
          "te",
        ]) {
          expect(headers[name]).toBeUndefined();
        }
      }
    },
  );

  test("that an upstream understands trailers is passed on", async () => {
    const fields = [await token(), "TE: trailers"];
    const headers = await headersSeen(signedApp, fields, ["--http1.1"]);
    expect(headers.te).toBe("trailers");
  });

  test("what only a proxy says cannot be made up in any spelling", async () => {
    const names = [
      ...["Forwarded", "Real-IP", "Request-Id", "Client-IP"],
      ...["Cluster-Client-IP", "Original-URL", "Rewrite-URL"],
      "Original-Forwarded-For",
    ].flatMap((name) => [name, `X-${name}`]);
    const fields = [
      ...names,
      ...["X-Forwarded-For", "X-Forwarded-Prefix", "X-Daytona-Authorization"],
      ...["True-Client-IP", "CF-Connecting-IP", "CF-Connecting-IPv6"],
      "Fastly-Client-IP",
    ].flatMap((name) => [name, name.replaceAll("-", "_")]);
    for (const [url, extra] of await applications()) {
      const headers = await headersSeen(
        url,
        [...extra, ...fields.map((name) => `${name}: 6.6.6.6`)],
        ["--http1.1"],
      );
      const believed = Object.entries(headers)
        .filter(([, value]) => value.includes("6.6.6.6"))
        .map(([name]) => name);
      expect(believed).toEqual([]);
    }
  });
});

/** Requests for several hosts on one HTTP/2 connection, as a browser coalesces them. */
async function onOneConnection(
  first: string,
  requests: readonly { host: string; headers?: Record<string, string> }[],
): Promise<{ status: number; body: string }[]> {
  const { stdout, stderr } = await inLab([
    process.execPath,
    "--input-type=module",
    "-e",
    `import { connect } from "node:http2";
     const [first, requests] = JSON.parse(process.argv[1]);
     const session = connect("https://" + first);
     const answers = [];
     for (const { host, headers = {} } of requests) {
       const stream = session.request({ ...headers, ":authority": host, ":path": "/" });
       const status = await new Promise((resolve) => stream.on("response", (h) => resolve(h[":status"])));
       let body = ""; for await (const chunk of stream) body += chunk;
       answers.push({ status, body });
     }
     session.close(); console.log(JSON.stringify(answers));`,
    JSON.stringify([first, requests]),
  ]);
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout) as { status: number; body: string }[];
}

describe("one HTTP/2 connection for several hosts", () => {
  test("each request goes to the sandbox that it names", async () => {
    const { key } = (await signedOutputs()).access;
    const hosts = [FIRST_SANDBOX, SECOND_SANDBOX].map((sandbox) => ({
      host: `${sandbox}-3000.${SIGNED_DOMAIN}`,
      headers: { "x-sandbox-token": sign(key, claims(sandbox)) },
    }));
    const answers = await onOneConnection(hosts[0]?.host ?? "", [
      ...hosts,
      ...hosts,
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(
      answers.map(
        ({ body }) => (JSON.parse(body) as { sandbox: string }).sandbox,
      ),
    ).toEqual([FIRST_SANDBOX, SECOND_SANDBOX, FIRST_SANDBOX, SECOND_SANDBOX]);
  });

  test("the token of the first opens no other, and foreign names none", async () => {
    const { key } = (await signedOutputs()).access;
    const first = `${FIRST_SANDBOX}-3000.${SIGNED_DOMAIN}`;
    const headers = { "x-sandbox-token": sign(key, claims(FIRST_SANDBOX)) };
    const answers = await onOneConnection(first, [
      { host: first, headers },
      { host: `${SECOND_SANDBOX}-3000.${SIGNED_DOMAIN}`, headers },
      { host: `${FIRST_SANDBOX}-3000.${DOMAIN}`, headers },
      { host: "example.org", headers },
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 401, 404, 404]);
  });
});

describe("Daytona's own cookies", () => {
  const cookie = (sandbox: string, by = "daytona") =>
    `${by}-sandbox-auth-${sandbox}`;

  test.each([
    [`${cookie(SECOND_SANDBOX)}=b; x=1`, "x=1"],
    [`x=1; ${cookie(SECOND_SANDBOX)}=b`, "x=1"],
    [`${cookie(SECOND_SANDBOX)}=b`, undefined],
    [
      `${cookie(SECOND_SANDBOX)}=b; x=1; ${cookie(id)}=a; y=2; ${cookie("0123456789abcdef")}=c`,
      `x=1; y=2; ${cookie(id)}=a`,
    ],
    [`${cookie(id)}=a`, `${cookie(id)}=a`],
    [`x=1; ${cookie(SECOND_SANDBOX, "nightona")}=b`, "x=1"],
    [
      `${cookie(SECOND_SANDBOX, "nightona")}=b; ${cookie(id, "nightona")}=a`,
      `${cookie(id, "nightona")}=a`,
    ],
    ["x=1; y=2", "x=1; y=2"],
  ])("a sandbox gets its own only: %s", async (sent, left) => {
    const headers = await headersSeen(app, [`Cookie: ${sent}`]);
    expect(headers.cookie).toBe(left);
  });
});

describe("what Daytona says about a sandbox", () => {
  const unreachable = { status: "503", code: "sandbox_unreachable" };
  const navigation = [
    ...["-H", "Sec-Fetch-Mode: navigate", "-H", "Sec-Fetch-Dest: document"],
  ];

  test("stopped is unreachable, with the contract's body", async () => {
    const sandbox = await addSandbox();
    try {
      const { exitCode } = await labCurl([
        ...["-f", "-X", "POST", "-H"],
        `Authorization: Bearer ${labSecrets().daytonaApiKey}`,
        `http://198.18.0.3:3000/api/sandbox/${sandbox}/stop`,
      ]);
      expect(exitCode).toBe(0);
      const url = `https://${sandbox}-3000.${DOMAIN}/some/path?x=1`;
      expect(await ask(url)).toMatchObject(unreachable);
      const page = await ask(url, ["-i", ...navigation]);
      expect(page.body).toMatch(/content-type: text\/html/);
      expect(page.body).toMatch(/retry-after: /);
      expect(page.body).toContain("sandbox_unreachable");
    } finally {
      await removeSandbox(sandbox);
    }
  });

  test("a port without a listener is a bad answer, with a body", async () => {
    const url = `https://${id}-3999.${DOMAIN}/`;
    expect(await ask(url)).toMatchObject({
      status: "502",
      code: "sandbox_bad_answer",
    });
    expect((await ask(url, ["-i", ...navigation])).body).toMatch(
      /content-type: text\/html/,
    );
    const direct = `https://${id}-3999.${SIGNED_DOMAIN}/`;
    expect(await ask(direct, ["-H", await token()])).toMatchObject(unreachable);
  });

  test.each([
    [
      "400 of a framework",
      400,
      { statusCode: 400, message: "no", error: "Bad Request" },
    ],
    [
      "400 with Daytona's code",
      400,
      {
        statusCode: 400,
        message: "no",
        code: "BAD_REQUEST",
        path: "/answer",
        method: "GET",
      },
    ],
    [
      "400 with Daytona's words about another path",
      400,
      {
        statusCode: 400,
        message: "Is the Sandbox started?",
        code: "BAD_REQUEST",
        path: "/x",
        method: "GET",
      },
    ],
    [
      "400 with Daytona's words, but not its code",
      400,
      {
        statusCode: 400,
        message: "Is the Sandbox started?",
        code: "NOT_STARTED",
        path: "/answer",
        method: "GET",
      },
    ],
    ["502 with a body", 502, { error: "upstream" }],
    ["503 with a body", 503, { error: "busy" }],
    ["504 with a body", 504, { error: "slow" }],
  ])("the application's own %s is its own", async (_, status, body) => {
    const query = new URLSearchParams({
      status: String(status),
      type: "application/json",
      body: JSON.stringify(body),
    });
    const answer = await ask(`${app}/answer?${query.toString()}`);
    expect(answer.status).toBe(String(status));
    expect(JSON.parse(answer.body.split("\n")[0] ?? "")).toEqual(body);
  });

  /** What Daytona answers, were it asked for that path. */
  const daytonaError = (message: string, path = "/answer") => ({
    ...{ statusCode: 400, message, code: "BAD_REQUEST", path, method: "GET" },
    timestamp: new Date().toISOString(),
  });
  const answerOf = (status: number, body: string, type?: string) =>
    ask(
      `${app}/answer?${new URLSearchParams({
        status: String(status),
        body,
        ...(type === undefined ? {} : { type }),
      }).toString()}`,
    );

  // Daytona's own words from an application cannot be told from Daytona's.
  test.each([
    "no IP address found. Is the Sandbox started?",
    "failed to get runner info: timeout",
    "Sandbox with ID x not found",
  ])("it is unreachable when Daytona says: %s", async (message) => {
    const body = JSON.stringify(daytonaError(message));
    expect(await answerOf(400, body, "application/json")).toMatchObject(
      unreachable,
    );
  });

  test("also when its words come later than its head", async () => {
    const port = 3991;
    const body = JSON.stringify(
      daytonaError("Is the Sandbox started?", "/late"),
    );
    const listener = await startListener(
      id,
      "late",
      `require("node:http").createServer((request, response) => {
  response.writeHead(400, { "Content-Type": "application/json", "Content-Length": ${String(body.length)} }).flushHeaders();
  setTimeout(() => response.end('${body}'), 500);
}).listen(${String(port)}, () => console.log("ready"));`,
    );
    try {
      const url = `https://${id}-${String(port)}.${DOMAIN}/late`;
      expect(await ask(url)).toMatchObject(unreachable);
    } finally {
      await listener.stop();
    }
  });

  test("words in a text, or in the middle of a long answer, are an application's", async () => {
    const words = daytonaError("Is the Sandbox started?");
    const own = { status: "400", code: undefined };
    const short = JSON.stringify(words);
    expect(await answerOf(400, short, "text/plain")).toMatchObject(own);
    const long = JSON.stringify({ ...words, more: "x".repeat(4096) });
    expect(await answerOf(400, long, "application/json")).toMatchObject(own);
  });

  test("a 502 that says anything at all is the application's", async () => {
    const own = { status: "502", code: undefined };
    expect(await answerOf(502, "busy")).toMatchObject(own);
    expect(await answerOf(502, "", "text/plain")).toMatchObject(own);
  });

  test("the application's own login is its own", async () => {
    const to = `https://login.example/?code_challenge=x&redirect_uri=${encodeURIComponent(`${app}/callback`)}`;
    const answer = await ask(
      `${app}/redirect?status=307&to=${encodeURIComponent(to)}`,
      ["-i"],
    );
    expect(answer.status).toBe("307");
    expect(answer.body).toContain(`location: ${to}`);
  });
});

test("gRPC calls go through, trailers and all", async () => {
  const listener = await startListener(
    id,
    "grpc",
    `const server = require("node:http2").createServer();
server.on("stream", (stream) => {
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  stream.pipe(stream);
});
server.listen(50051, () => console.log("ready"));`,
  );
  try {
    const { stdout, stderr } = await inLab([
      process.execPath,
      "--input-type=module",
      "-e",
      `import { connect } from "node:http2";
       const session = connect("https://${id}-50051.${SIGNED_DOMAIN}");
       const stream = session.request({":method": "POST", ":path": "/x.Y/Z", "content-type": "application/grpc", te: "trailers", "x-sandbox-token": process.argv[1]});
       const seen = [];
       stream.on("data", (data) => { seen.push(String(data)); if (seen.length < 3) stream.write("m" + seen.length); else stream.end(); });
       stream.on("trailers", (trailers) => seen.push(trailers["grpc-status"]));
       stream.write("m0");
       await new Promise((resolve) => stream.on("close", resolve));
       session.close(); console.log(seen.join(" "));`,
      (await token()).replace("X-Sandbox-Token: ", ""),
    ]);
    expect(stdout + stderr).toBe("m0 m1 m2 0");
  } finally {
    await listener.stop();
  }
});
