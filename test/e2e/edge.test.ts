/**
 * The road in, tried from outside: hosts, ports, headers, protocols, errors.
 *
 * @module-tag edge
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { patternBytes } from "../../scripts/lab/daytona/app/pattern.ts";
import { edgeAddresses } from "../../scripts/lab/machine-addresses.ts";
import { labSecrets } from "../../scripts/lab/secrets.ts";
import { rowOf, rowsSince } from "./edge-health.ts";
import { headers, preface, settings } from "./fixtures/malformed/frames.ts";
import {
  DOMAIN,
  FIRST_SANDBOX,
  SECOND_SANDBOX,
  inLab,
  labCurl,
  edgeRows,
  labExec,
} from "./lab.ts";
import { exchangeAll } from "./targets.ts";

const id = FIRST_SANDBOX;
const app = `https://${id}-3000.${DOMAIN}`;
const { ipv4: edge, ipv6: edge6 } = edgeAddresses.edge;

/** Asks the edge for any host, and returns status and error code. */
async function ask(host: string, path = "/", args: string[] = []) {
  const { stdout } = await labCurl([
    "--path-as-is",
    "--max-time",
    "240",
    "-w",
    "\n%{http_code}",
    "-H",
    `Host: ${host}`,
    ...args,
    `${app}${path}`,
  ]);
  const status = stdout.split("\n").at(-1) ?? "";
  const code = /"code":"([a-z_]+)","message"/.exec(stdout)?.[1];
  return { status, code, body: stdout };
}

describe("hosts", () => {
  test.concurrent.each([
    [`${id}-3000.${DOMAIN}`, "200", undefined],
    [`3000-${id}.${DOMAIN}`, "200", undefined],
    [`${id.toUpperCase()}-3000.${DOMAIN}`, "200", undefined],
    [`${id}-3000.${DOMAIN}:443`, "200", undefined],
    [`${id}-03000.${DOMAIN}`, "404", "unknown_host"],
    [`03000-${id}.${DOMAIN}`, "404", "unknown_host"],
    [`${id}-02280.${DOMAIN}`, "404", "unknown_host"],
    [`02280-${id}.${DOMAIN}`, "404", "unknown_host"],
    [`+2280-${id}.${DOMAIN}`, "404", "unknown_host"],
    [`${id}-0.${DOMAIN}`, "404", "unknown_host"],
    [`${id}-65536.${DOMAIN}`, "404", "unknown_host"],
    [`${id}-99999.${DOMAIN}`, "404", "unknown_host"],
    [`${id}-3000x.${DOMAIN}`, "404", "unknown_host"],
    [`${id}.${DOMAIN}`, "404", "unknown_host"],
    [`3000-${id}-3000.${DOMAIN}`, "404", "unknown_host"],
    [
      `83792513-cd9e-128f-99c0-63c63bc7739c-3000.${DOMAIN}`,
      "404",
      "unknown_host",
    ],
    [`x.${id}-3000.${DOMAIN}`, "404", "unknown_host"],
    [`${id}-3000.${DOMAIN}.example.org`, "404", "unknown_host"],
    [`${id}-3000.${DOMAIN}.`, "404", "unknown_host"],
    [`${id}-3000.example.org`, "404", "unknown_host"],
    [DOMAIN, "404", "unknown_host"],
    ["198.18.0.4", "404", "unknown_host"],
  ])("%s: %s", async (host, status, code) => {
    expect(await ask(host)).toMatchObject({ status, code });
  });

  test.concurrent.each([2280, 5900, 5901, 6080, 22220, 22222, 33333])(
    "Daytona's own port %i is denied in both orders",
    async (port) => {
      const denied = { status: "403", code: "port_denied" };
      const label = String(port);
      expect(await ask(`${id}-${label}.${DOMAIN}`)).toMatchObject(denied);
      expect(await ask(`${label}-${id}.${DOMAIN}`)).toMatchObject(denied);
    },
  );

  test.concurrent.each([
    ["/", "404"],
    [`/toolbox/${id}/process/execute`, "404"],
    ["/health", "404"],
    // Daytona's own answer to a login without a code.
    ["/callback", "400"],
  ])("the base name has %s: %s", async (path, status) => {
    expect(await ask(DOMAIN, path)).toMatchObject({ status });
  });

  test("a certificate authority's challenge never reaches a sandbox", async () => {
    for (const path of [
      "/.well-known/acme-challenge/x",
      "/.well-known/%61cme-challenge/x",
      "/.WELL-KNOWN/acme-challenge/x",
    ]) {
      expect(await ask(`${id}-3000.${DOMAIN}`, path)).toMatchObject({
        status: "404",
        code: "unknown_host",
      });
    }
  });
});

describe("access, as Daytona decides", () => {
  const guarded = `${SECOND_SANDBOX}-3000.${DOMAIN}`;
  const token = () => `X-Daytona-Preview-Token: ${labSecrets().previewToken}`;

  test("a private sandbox answers with its preview token only", async () => {
    expect(await ask(guarded)).toMatchObject({
      status: "401",
      code: "token_missing",
    });
    expect(await ask(guarded, "/", ["-H", token()])).toMatchObject({
      status: "200",
    });
    expect(await ask(guarded, "/", ["-H", `${token()}x`])).toMatchObject({
      status: "401",
    });
  });

  test("its token does not reach the application", async () => {
    const { body } = await ask(guarded, "/headers", ["-H", token()]);
    expect(body).not.toContain(labSecrets().previewToken);
  });

  test("a signed preview host works on its port, and is denied on Daytona's", async () => {
    const { stdout } = await labCurl([
      "-H",
      `Authorization: Bearer ${labSecrets().daytonaApiKey}`,
      `http://198.18.0.3:3000/api/sandbox/${SECOND_SANDBOX}/ports/3000/signed-preview-url?expiresInSeconds=3600`,
    ]);
    const { url } = JSON.parse(stdout) as { url: string };
    const host = new URL(url).host;
    expect(await ask(host)).toMatchObject({ status: "200" });
    expect(await ask(host.replace(/^3000/, "2280"))).toMatchObject({
      status: "403",
      code: "port_denied",
    });
  });

  test("a browser's navigation is sent to the login, a fetch is told", async () => {
    const navigation = [
      "-H",
      "Sec-Fetch-Mode: navigate",
      "-H",
      "Sec-Fetch-Dest: document",
    ];
    expect(await ask(guarded, "/", navigation)).toMatchObject({
      status: "307",
    });
    for (const headers of [
      ["-H", "Sec-Fetch-Mode: cors", "-H", "Sec-Fetch-Dest: empty"],
      [
        "-H",
        "Sec-Fetch-Mode: no-cors",
        "-H",
        "Sec-Fetch-Dest: script",
        "-H",
        "Accept: text/html",
      ],
      ["-X", "POST", ...navigation],
    ]) {
      expect(await ask(guarded, "/", headers)).toMatchObject({
        status: "401",
        code: "token_missing",
      });
    }
  });
});

describe("what the application learns", () => {
  test.each([
    ["-4", "198.18.0.1"],
    ["-6", "2001:db8:198:18::1"],
  ])(
    "only what the edge saw, whatever the client says: %s",
    async (family, client) => {
      const { body } = await ask(`${id}-3000.${DOMAIN}`, "/headers", [
        family,
        ...[
          "X-Real-IP: 6.6.6.6",
          "X-Forwarded-For: 6.6.6.6",
          "X-Forwarded-Proto: gopher",
          "X-Forwarded-Host: evil.example",
          "X-Forwarded-Prefix: /evil",
          "Forwarded: for=6.6.6.6",
          "X-Request-Id: mine",
          "X-Daytona-Authorization: Bearer evil",
          "X-Daytona-Skip-Last-Activity-Update: true",
        ].flatMap((header) => ["-H", header]),
      ]);
      const { headers } = JSON.parse(body.split("\n")[0] ?? "") as {
        headers: Record<string, string>;
      };
      expect(headers["x-real-ip"]).toBe(client);
      expect(headers["x-forwarded-for"]).toMatch(new RegExp(`^${client}, `));
      expect(headers["x-forwarded-proto"]).toBe("https");
      expect(headers["x-forwarded-host"]).toBe(`3000-${id}.${DOMAIN}`);
      expect(headers["x-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
      expect(JSON.stringify(headers)).not.toMatch(
        /6\.6\.6\.6|evil|mine|last-activity/,
      );
    },
  );

  test.each(["/a%2Fb/../c?x=%20&y", "//x", "/%E2%82%AC;p=1", "/a?b?c"])(
    "the path %s byte for byte",
    async (path) => {
      const { body } = await ask(`${id}-3000.${DOMAIN}`, `/headers/..${path}`);
      // The app knows no such path; its 404 says which it was.
      expect(body).toContain(path.split("?")[0]);
    },
  );

  test("an answer carries the request's id", async () => {
    const { stdout } = await labCurl(["-I", app]);
    expect(stdout).toMatch(/x-request-id: [0-9a-f-]{36}/);
  });

  test("Daytona neither warns a browser nor answers for the application's CORS", async () => {
    const host = `${id}-3000.${DOMAIN}`;
    const origin = ["-i", "-H", "Origin: https://other.example"];
    const { body } = await ask(host, "/headers", origin);
    expect(body).toContain('"x-daytona-skip-preview-warning":"true"');
    expect(body).not.toMatch(/^access-control-allow-/m);
  });

  test("no empty token, where the client sent none", async () => {
    const { body } = await ask(`${id}-3000.${DOMAIN}`, "/headers");
    expect(body).not.toContain("x-daytona-preview-token");
  });

  test("a cookie for the parent domain becomes the host's own", async () => {
    const { stdout } = await labCurl(["-i", `${app}/cookie?domain=.${DOMAIN}`]);
    expect(stdout).toContain("set-cookie: wide=1; Path=/");
    expect(stdout.toLowerCase()).not.toContain("domain=");
  });

  test("however often and in whatever spelling its domain is said", async () => {
    const cookie = `a=1; Domain=x; domain =${DOMAIN};DOMAIN= .${DOMAIN}; Path=/`;
    const query = new URLSearchParams({ field: "Set-Cookie", value: cookie });
    const { stdout } = await labCurl([
      "-i",
      `${app}/answer?${query.toString()}`,
    ]);
    expect(stdout).toMatch(/^set-cookie: a=1; Path=\/\r$/m);
  });

  test.each([4, 5, 12])("one that says it %i times is none", async (times) => {
    const wide = `a=1${`; Domain=${DOMAIN}`.repeat(times)}; Path=/`;
    const query = new URLSearchParams({ field: "Set-Cookie", value: wide });
    const { stdout } = await labCurl([
      "-i",
      `${app}/answer?${query.toString()}`,
    ]);
    expect(stdout.toLowerCase()).not.toContain("domain=");
    expect(stdout).toContain("set-cookie: refused=; Max-Age=0");
  });

  test("but the cookie of Daytona's own login comes back to the base name", async () => {
    // As a browser does it: to the sandbox, away to the login, back with a code.
    const { stdout } = await inLab([
      "sh",
      "-c",
      `jar=$(mktemp); trap 'rm "$jar"' EXIT
       browser() {
         curl -sS --cacert "$NODE_EXTRA_CA_CERTS" -b "$jar" -c "$jar" -H "Sec-Fetch-Mode: navigate" -H "Sec-Fetch-Dest: document" "$@"
       }
       to=$(browser -o /dev/null -w '%{redirect_url}' https://${SECOND_SANDBOX}-3000.${DOMAIN}/)
       browser "https://${DOMAIN}/callback?code=unknown&state=\${to##*state=}"`,
    ]);
    // The verifier was there; the lab's login server knows no code.
    expect(stdout).toContain("failed to exchange token");
  });

  test("an application cannot lead browsers past the edge", async () => {
    const query = new URLSearchParams({ field: "Alt-Svc", value: 'h3=":443"' });
    const { stdout } = await labCurl([
      "-i",
      `${app}/answer?${query.toString()}`,
    ]);
    expect(stdout).toMatch(/^HTTP\/2 200/);
    expect(stdout).not.toContain("alt-svc");
  });
});

describe("protocols", () => {
  test("events arrive one by one", async () => {
    const { stdout } = await labCurl([
      "-N",
      "-w",
      "%{time_starttransfer} %{time_total}",
      `${app}/sse?interval=1000&count=5`,
    ]);
    const [first, total] = (stdout.split("\n").at(-1) ?? "").split(" ");
    // Four seconds apart at the application: not all at its end.
    expect(Number(total) - Number(first)).toBeGreaterThan(1);
  });

  test("a WebSocket, also where the client offers HTTP/2", async () => {
    const { stdout, stderr } = await inLab([
      process.execPath,
      join(import.meta.dirname, "fixtures/websocket.ts"),
      `${app.replace("https", "wss")}/ws`,
      "1",
    ]);
    expect(stdout + stderr).toBe("echoed twice");
  });

  test("a WebSocket, in capitals as some clients write it", async () => {
    const servername = `${id}-3000.${DOMAIN}`;
    const lines = [
      "GET /ws HTTP/1.1",
      `Host: ${servername}`,
      ...["Connection: Upgrade", "Upgrade: WebSocket"],
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ];
    const [answered] = await exchangeAll([
      {
        road: {
          address: edge,
          port: 443,
          tls: { servername, alpn: "http/1.1" },
        },
        pieces: [Buffer.from(`${lines.join("\r\n")}\r\n\r\n`)],
        pause: 0,
        ending: "stay",
      },
    ]);
    expect(String(answered?.received)).toMatch(/^HTTP\/1\.1 101/);
  });

  test("50 MB both ways, unharmed", async () => {
    const bytes = 50_000_000;
    const hash = createHash("sha256");
    for (const piece of patternBytes(bytes)) hash.update(piece);
    const { stdout } = await inLab([
      "sh",
      "-c",
      `curl -sS --cacert "$NODE_EXTRA_CA_CERTS" ${app}/download?bytes=${String(bytes)} | curl -sS --cacert "$NODE_EXTRA_CA_CERTS" -T - ${app}/upload`,
    ]);
    expect(JSON.parse(stdout)).toEqual({ bytes, sha256: hash.digest("hex") });
  });

  test("methods that make no sense here are refused", async () => {
    for (const method of ["TRACE", "CONNECT"]) {
      const { status } = await ask(`${id}-3000.${DOMAIN}`, "/", [
        "--http1.1",
        "-X",
        method,
      ]);
      expect(["400", "404"]).toContain(status);
    }
  });

  test.each([
    ["TLS 1.1", ["--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0", app]],
    [
      "a name that is not ours",
      ["--connect-to", `::${edge}:443`, "https://example.org/"],
    ],
    [
      "a name that is not ours, by IPv6",
      ["--connect-to", `::[${edge6}]:443`, "https://example.org/"],
    ],
    ["no name", ["-k", `https://${edge}/`]],
  ])("%s: no handshake", async (_, args) => {
    const { exitCode } = await labCurl(args);
    expect(exitCode).toBe(35);
  });

  test("plain HTTP leads to HTTPS, and no further", async () => {
    const { stdout } = await labCurl([
      "-i",
      `${app.replace("https", "http")}/a?b=c`,
    ]);
    expect(stdout).toMatch(/^HTTP\/1\.1 308/);
    expect(stdout).toContain(`location: ${app}/a?b=c`);
    const begun = Date.now();
    const foreign = await labCurl([
      "-i",
      "-H",
      "Host: example.org",
      `http://${edge}/`,
    ]);
    expect(foreign.stdout).toMatch(/^HTTP\/1\.1 404/);
    expect(await rowOf("edge", begun, { path: "/" })).toMatchObject({
      status: 404,
      error: "unknown_host",
    });
  });

  test("so does the base name, where a browser logs in", async () => {
    const { stdout } = await labCurl(["-i", `http://${DOMAIN}/callback?a=b`]);
    expect(stdout).toMatch(/^HTTP\/1\.1 308/);
    expect(stdout).toContain(`location: https://${DOMAIN}/callback?a=b`);
  });
});

describe("errors", () => {
  test("a page for a browser's navigation, JSON for everything else", async () => {
    const page = await labCurl([
      "-i",
      "-H",
      "Sec-Fetch-Mode: navigate",
      "-H",
      "Sec-Fetch-Dest: document",
      `https://${id}-2280.${DOMAIN}/`,
    ]);
    expect(page.stdout).toMatch(/content-type: text\/html/);
    expect(page.stdout).toContain("<code>port_denied</code>");
    const json = await labCurl(["-i", `https://${id}-2280.${DOMAIN}/`]);
    expect(json.stdout).toMatch(/content-type: application\/json/);
    const body = JSON.parse(json.stdout.split("\r\n\r\n")[1] ?? "") as object;
    expect(body).toEqual({
      error: {
        code: "port_denied",
        message: expect.any(String) as string,
        requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      },
    });
  });

  test.each([
    [
      "an old browser says only what it accepts",
      ["-H", "Accept: text/html,*/*;q=0.8"],
      "html",
    ],
    ["a script of it", ["-H", "Accept: */*"], "json"],
    [
      "a frame",
      ["-H", "Sec-Fetch-Mode: navigate", "-H", "Sec-Fetch-Dest: iframe"],
      "json",
    ],
    [
      "an image",
      ["-H", "Sec-Fetch-Mode: no-cors", "-H", "Sec-Fetch-Dest: image"],
      "json",
    ],
    [
      "a fetch that accepts pages",
      ["-H", "Sec-Fetch-Mode: cors", "-H", "Accept: text/html"],
      "json",
    ],
  ])("%s", async (_, headers, format) => {
    const { stdout } = await labCurl([
      ...["-i", ...headers],
      `https://${id}-2280.${DOMAIN}/`,
    ]);
    expect(stdout).toMatch(new RegExp(`^content-type: [a-z]+/${format}`, "m"));
  });

  test("an error of the edge is kept nowhere, run by nothing, and says its code", async () => {
    const url = `https://${id}-2280.${DOMAIN}/`;
    const json = await labCurl(["-i", url]);
    expect(json.stdout).toMatch(/^x-sandbox-error: port_denied\r$/m);
    expect(json.stdout).toMatch(/^cache-control: no-store\r$/m);
    expect(json.stdout).toMatch(/^x-content-type-options: nosniff\r$/m);
    expect(json.stdout).not.toContain("content-security-policy");
    const page = await labCurl([
      ...["-i", "-H", "Sec-Fetch-Mode: navigate"],
      ...["-H", "Sec-Fetch-Dest: document", url],
    ]);
    expect(page.stdout).toMatch(/^x-sandbox-error: port_denied\r$/m);
    expect(page.stdout).toMatch(
      /^content-security-policy: default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\r$/m,
    );
  });

  test("an application's error is its own, and never an error of the edge", async () => {
    const { stdout } = await labCurl([
      "-i",
      `${app}/answer?status=401&type=text/plain&body=mine&field=X-Sandbox-Error&value=token_revoked`,
    ]);
    expect(stdout).toMatch(/^HTTP\/2 401/);
    expect(stdout).toMatch(/^content-type: text\/plain\r$/m);
    expect(stdout).toMatch(/mine$/);
    expect(stdout).not.toMatch(/x-sandbox-error|cache-control|nosniff/i);
  });

  // What the edge looks into, for Daytona might have said it.
  test.each(["400", "502"])("also where it is a %s", async (status) => {
    const { stdout } = await labCurl([
      "-i",
      `${app}/answer?status=${status}&type=text/plain&body=mine`,
    ]);
    expect(stdout).toMatch(new RegExp(`^HTTP/2 ${status}`));
    expect(stdout).toMatch(/mine$/);
    expect(stdout).not.toMatch(/x-sandbox-error|cache-control|nosniff/i);
  });

  test("the log has one JSON row a request, without the query", async () => {
    const mark = crypto.randomUUID();
    const begun = Date.now();
    await labCurl([
      `${app}/headers?token=${mark}`,
      "-H",
      `User-Agent: ${mark}`,
    ]);
    const row = await rowOf("edge", begun, { path: "/headers" });
    expect(row).toMatchObject({ sandbox: id, status: 200 });
    const rows = await edgeRows("edge", 50);
    expect(rows.join()).not.toContain(mark);
    const own = (await rowsSince("edge", begun)).filter(
      (one) => one.path === "/headers",
    );
    expect(own).toHaveLength(1);
  });
});

test("a log row is JSON however long the path is", async () => {
  const path = `/${"x".repeat(7000)}`;
  const begun = Date.now();
  expect(await ask(`${id}-3000.${DOMAIN}`, path)).toMatchObject({
    status: "404",
  });
  const row = await rowOf("edge", begun, { path: path.slice(0, 1024) });
  expect(row).toMatchObject({ status: 404 });
});

test("a log row is text whatever bytes the path has", async () => {
  const begun = Date.now();
  const mark = crypto.randomUUID();
  const block = headers(1, [
    [":method", "GET"],
    [":scheme", "https"],
    [":authority", `${id}-2280.${DOMAIN}`],
    [":path", `/${mark}\xff\xc3`],
  ]);
  const servername = `${id}-2280.${DOMAIN}`;
  await exchangeAll([
    {
      road: { address: edge, port: 443, tls: { servername, alpn: "h2" } },
      pieces: [Buffer.concat([preface, settings(), block])],
      pause: 0,
      ending: "answer",
    },
  ]);
  const row = await rowOf("edge", begun, { path: `/${mark}??` });
  expect(row).toMatchObject({ status: 403, error: "port_denied" });
});

describe("a machine that does not know all that it must", () => {
  test("is unhealthy and serves nobody; knowing it again, it does", async () => {
    const state = "/run/daytona-edge/state.map";
    const setState = async (name: string, value: string) => {
      const { stdout } = await labExec("edge", [
        "sh",
        "-c",
        `echo 'set map ${state} ${name} ${value}' | socat - /run/daytona-edge/haproxy.sock`,
      ]);
      expect(stdout.trim()).toBe("");
    };
    const health = async () =>
      (await labCurl(["-i", `http://${edge}:8404/healthz`])).stdout.slice(
        9,
        12,
      );
    await labExec("edge", ["systemctl", "stop", "daytona-edge-agent"]);
    try {
      for (const [name, good, bad] of [
        ["certificate", "issued", "placeholder"],
        ["revocations", "live", "unknown"],
        ["access", "live", "unknown"],
      ] as const) {
        await setState(name, bad);
        expect(await health(), name).toBe("503");
        expect((await labCurl([app])).exitCode, name).not.toBe(0);
        await setState(name, good);
        expect(await health(), name).toBe("200");
        expect((await labCurl([app])).exitCode, name).toBe(0);
      }
      await setState("certificate", "placeholder");
    } finally {
      await labExec("edge", ["systemctl", "start", "daytona-edge-agent"]);
    }
    // The agent says it again by itself.
    await expect.poll(health).toBe("200");
    expect((await labCurl([app])).exitCode).toBe(0);
  });
});

test("these handshakes can succeed: the right name gets the certificate", async () => {
  const { stdout } = await labCurl([
    "-w",
    "%{ssl_verify_result}",
    "-o",
    "/dev/null",
    app,
  ]);
  expect(stdout).toBe("0");
});
