/**
 * Ways out, tried as root inside a sandbox. The lab's internet answers
 * everybody, so whatever is refused here was refused by the gateway; where it
 * matters, the internet is asked what arrived.
 *
 * @module-tag gateway
 */
import { beforeAll, describe, expect, test } from "vitest";
import { closeRoad, openRoad } from "./gateway-rules.ts";
import { askInternet } from "./internet.ts";
import { FIRST_SANDBOX, SECOND_SANDBOX, sandboxExec } from "./lab.ts";
import { openStream } from "./sandbox-stream.ts";

const gateway = "169.254.20.1";
const sandbox = (command: string) => sandboxExec(FIRST_SANDBOX, command);

/** Root in a sandbox may route as it likes: everything to the bridge. */
let other: string;
beforeAll(async () => {
  const { result } = await sandboxExec(SECOND_SANDBOX, "hostname -I");
  other = result.split(" ")[0] ?? "";
  expect(other).toMatch(/^172\.20\./);
});

describe("what is allowed works", () => {
  test.each([
    ["splice", "https://api.github.com/zen", "200"],
    ["splice, HTTP/1.1", "--http1.1 https://api.github.com/zen", "200"],
    ["inspect", "https://openrouter.ai/api/v1/models", "200"],
    [
      "inspect, HTTP/1.1",
      "--http1.1 https://openrouter.ai/api/v1/models",
      "200",
    ],
    ["upper case name", "https://API.GITHUB.COM/zen", "200"],
  ])("%s", async (_, args, status) => {
    const { result } = await sandbox(
      `curl -sS -o /dev/null -w '%{http_code}' ${args}`,
    );
    expect(result).toBe(status);
  });

  test("an event stream comes through as it is sent", async () => {
    const { result } = await sandbox(
      `curl -sSN -w '\\n%{time_starttransfer} %{time_total}' -H 'Authorization: Bearer x' -H 'Content-Type: application/json' -d '{"model":"m","stream":true,"messages":[{"role":"user","content":"Hi"}]}' https://openrouter.ai/api/v1/chat/completions`,
    );
    const [first = "", total = ""] = (result.split("\n").at(-1) ?? "").split(
      " ",
    );
    expect(result).toContain("data: [DONE]");
    console.log(`first byte after ${first} s, the last after ${total} s`);
    // Of a stream that never ends nothing would come if it were not passed on.
    const stream = await openStream("https://openrouter.ai/api/v1/sse");
    expect(await stream.stop()).toBe("alive");
  });

  test("100 MB goes up to an inspected host", async () => {
    const { result } = await sandbox(
      "head -c 100000000 /dev/zero | curl -sS -o /dev/null -w '%{http_code} %{size_upload}' -T - https://openrouter.ai/api/v1/echo",
    );
    expect(result).toBe("200 100000000");
  });

  test.each(["curl", "python3", "node"])(
    "%s trusts the gateway's authority after the documented command",
    async (client) => {
      const url = "https://openrouter.ai/api/v1/models";
      const commands: Record<string, string> = {
        curl: `curl -fsS ${url}`,
        python3: `python3 -c 'import urllib.request as u; print(u.urlopen("${url}").read().decode())'`,
        node: `. /etc/profile.d/daytona-egress.sh; node -e 'fetch("${url}").then(r => r.text()).then(console.log)'`,
      };
      const { exitCode, result } = await sandbox(commands[client] ?? "");
      expect(result).toContain("anthropic");
      expect(exitCode).toBe(0);
    },
  );
});

describe("paths of an inspected host", () => {
  const paths = [
    "/",
    "/api/v2/models",
    "/api/v1",
    "/api/v10/models",
    "/api/v1/../v2/x",
    "/api/v1/%2e%2e/v2/x",
    "/api/v1/%2E%2E/v2/x",
    "/api/v1/..%2fv2",
    "/api/v1/%2e%2e%2fv2",
    "/api%2fv1/models",
    "/api/v1%2Fmodels",
    "/api/v1/x%2f..%2f..%2fv2",
    "/api/v1/x%2f%2Fv2",
    "/api/v1/x%2f.",
    "/api/v1/%252e%252e/v2",
    "/api/v1/..;/v2",
    "/api/v1\\..\\v2",
    "/api/v1/%5c..%5cv2",
    "/api/v1/x%00/v2",
    "/api/v1/x%0d%0aHost:evil",
    "//api/v2/",
    "/API/v1/models",
    "/%61pi/v2/",
  ];
  test.each(paths)("%s is refused, and never arrives", async (path) => {
    await askInternet("requests", "-X", "DELETE");
    for (const version of ["--http1.1", "--http2"]) {
      const { result } = await sandbox(
        `curl -sS ${version} --path-as-is -o /dev/null -w '%{http_code}' 'https://openrouter.ai${path}'`,
      );
      expect(["400", "403"]).toContain(result);
    }
    const arrived = await askInternet("requests");
    expect(arrived).not.toContain("openrouter.ai");
  });

  test("what is allowed arrives in its canonical form, its query as it was", async () => {
    const { result } = await sandbox(
      "curl -sS --path-as-is 'https://openrouter.ai/api/./v1//x/../%65cho?q=../%2F%20&%00'",
    );
    expect(JSON.parse(result)).toMatchObject({
      path: "/api/v1/echo?q=../%2F%20&%00",
    });
  });

  test.each(["/api/v1/projects/group%2Fproject", "/api/v1/@types%2fnode"])(
    "an encoded slash passes where it may mean what it likes: %s",
    async (path) => {
      await askInternet("requests", "-X", "DELETE");
      await sandbox(`curl -sS 'https://openrouter.ai${path}'`);
      const sent = path.replace("%2f", "%2F");
      expect(await askInternet("requests")).toContain(`${sent}"`);
    },
  );

  test("the refusal says what an agent can act on", async () => {
    const { result } = await sandbox("curl -sS https://openrouter.ai/credits");
    expect(JSON.parse(result)).toEqual({
      error: {
        code: "egress_denied",
        message: expect.stringContaining("path_not_allowed") as string,
        host: "openrouter.ai",
        path: "/credits",
        rule: "https://openrouter.ai/api/v1/*",
        requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      },
    });
  });
});

describe("names that disagree", () => {
  test.each([
    ["Host is another", "-H 'Host: example.org'"],
    ["Host is another inspected path's host", "-H 'Host: api.github.com'"],
    ["Host has another port", "-H 'Host: openrouter.ai:8443'"],
    ["Host ends with a dot", "-H 'Host: openrouter.ai.'"],
    ["absolute form", "--http1.1 --request-target http://example.org/"],
    ["CONNECT", "--http1.1 -X CONNECT"],
    ["TRACE", "-X TRACE"],
    [
      "an upgrade",
      "--http1.1 -H 'Connection: Upgrade' -H 'Upgrade: websocket'",
    ],
  ])("%s", async (_, args) => {
    const { result } = await sandbox(
      `curl -sS -o /dev/null -w '%{http_code}' ${args} https://openrouter.ai/api/v1/models`,
    );
    expect(["400", "403", "404"]).toContain(result);
  });

  test("a second request on the connection for another host", async () => {
    const { result } = await sandbox(
      "curl -sS --http1.1 -o /dev/null -w '%{http_code} ' https://openrouter.ai/api/v1/models --next --http1.1 -H 'Host: example.org' -o /dev/null -w '%{http_code}' https://openrouter.ai/api/v1/models",
    );
    expect(result).toBe("200 403");
  });

  test("headers that mean another path or method do not arrive", async () => {
    const { result } = await sandbox(
      "curl -sS -H 'X-Original-URL: /x' -H 'X-Rewrite-URL: /x' -H 'X-HTTP-Method-Override: DELETE' -H 'X-Forwarded-For: 1.2.3.4' https://openrouter.ai/api/v1/echo",
    );
    expect(result).not.toMatch(/x-original|x-rewrite|override|x-forwarded/i);
  });
});

describe("TLS that hides its name", () => {
  /** Sends raw bytes to the gateway's 443 and prints what comes back. */
  const raw = (python: string) =>
    sandbox(
      `python3 - <<'PY'\nimport socket, ssl, struct, time\ns = socket.create_connection(("${gateway}", 443), 60)\ns.settimeout(60)\n${python}\ntry:\n  print("got", s.recv(5).hex())\nexcept Exception as e:\n  print("got nothing", type(e).__name__)\nPY`,
    );
  /** A real ClientHello for a name, as Python's OpenSSL makes it. */
  const hello = (name: string) =>
    `i, o = ssl.MemoryBIO(), ssl.MemoryBIO()\nc = ssl.create_default_context()\nt = c.wrap_bio(i, o, server_hostname="${name}")\ntry: t.do_handshake()\nexcept ssl.SSLWantReadError: pass\nh = o.read()\n`;

  test("the same hello in one record is answered", async () => {
    const { result } = await raw(`${hello("api.github.com")}s.sendall(h)`);
    expect(result).toMatch(/got 1603/);
  });

  test("in many segments too", async () => {
    const { result } = await raw(
      `${hello("api.github.com")}\nfor b in h: s.sendall(bytes([b]))`,
    );
    expect(result).toMatch(/got 1603/);
  });

  test("over two records: refused", async () => {
    const { result } = await raw(
      `${hello("api.github.com")}b = h[5:]\nn = len(b) // 2\nfor p in (b[:n], b[n:]): s.sendall(b"\\x16\\x03\\x01" + struct.pack(">H", len(p)) + p)`,
    );
    expect(result).not.toMatch(/got 1603/);
  });

  test("with an encrypted hello (extension fe0d): refused", async () => {
    const { result } = await raw(
      `${hello("api.github.com")}e = b"\\xfe\\x0d\\x00\\x0e\\x00\\x00\\x01\\x00\\x01\\x07\\x00\\x02ab\\x00\\x02cd"\nb = bytearray(h[9:])\np = 34; p += 1 + b[p]; p += 2 + struct.unpack(">H", b[p:p+2])[0]; p += 1 + b[p]\nl = struct.unpack(">H", b[p:p+2])[0]\nb[p:p+2] = struct.pack(">H", l + len(e)); b += e\nm = b"\\x01" + struct.pack(">I", len(b))[1:] + bytes(b)\ns.sendall(b"\\x16\\x03\\x01" + struct.pack(">H", len(m)) + m)`,
    );
    expect(result).toContain("got 1503");
  });

  test.each([
    [
      "no TLS",
      "s.sendall(b'GET / HTTP/1.1\\r\\nHost: api.github.com\\r\\n\\r\\n')",
    ],
    ["SSH", "s.sendall(b'SSH-2.0-OpenSSH_9.9\\r\\n')"],
  ])("%s: refused", async (_, python) => {
    const { result } = await raw(python);
    expect(result).not.toMatch(/got 16|got 48/);
  });

  test.each([
    "example.org",
    "api.github.com.example.org",
    "xapi.github.com",
    "github.com",
  ])("an unlisted name %s: TLS alert unrecognized_name", async (name) => {
    const { result } = await raw(`${hello(name)}s.sendall(h)`);
    expect(result).toContain("got 1503030002");
  });

  test("an address instead of a name: refused", async () => {
    const { exitCode } = await sandbox(
      `curl -sSk --max-time 8 https://${gateway}/`,
    );
    expect(exitCode).not.toBe(0);
  });
});

describe("where packets may go", () => {
  const refused: [string, string][] = [
    [
      "an allowed name at another address",
      "curl -sSk --max-time 4 --resolve api.github.com:443:203.0.113.20 https://api.github.com/",
    ],
    [
      "the allowed host itself, around the gateway",
      "curl -sSk --max-time 4 --resolve api.github.com:443:203.0.113.12 https://api.github.com/zen",
    ],
    [
      "another port of it",
      "curl -sS --max-time 4 --resolve api.github.com:80:203.0.113.12 http://api.github.com/",
    ],
    ["plain HTTP anywhere", "curl -sS --max-time 4 http://203.0.113.20/"],
    ["IPv6", "curl -sSkg --max-time 4 'https://[2001:db8:203::20]/'"],
    [
      "IPv6, the machine itself",
      "curl -sSg --max-time 4 'http://[2001:db8:20::1]:3000/'",
    ],
    ["the metadata address", "curl -sS --max-time 4 http://169.254.169.254/"],
    [
      "Daytona's API",
      "curl -sS --max-time 4 http://172.20.0.1:3000/api/health",
    ],
    [
      "Daytona's proxy at the machine's own address",
      "curl -sS --max-time 4 http://198.18.0.3:4000/health",
    ],
    ["SSH of the machine", "nc -zw 3 198.18.0.3 22"],
    [
      "another port of the gateway",
      `curl -sS --max-time 4 http://${gateway}:8404/`,
    ],
    ["SSH at the gateway's address", `nc -zw 3 ${gateway} 22`],
    [
      "the gateway's own resolver",
      `dig +time=2 +tries=1 -p 5353 @${gateway} api.github.com`,
    ],
    [
      "the edge's front door (hairpin)",
      "curl -sSk --max-time 4 https://198.18.0.4/",
    ],
    ["ping", "ping -c 1 -W 2 203.0.113.20"],
    ["ping of the gateway", `ping -c 1 -W 2 ${gateway}`],
    ["DNS over TLS", "nc -zw 3 8.8.8.8 853"],
    [
      "a resolver outside, TCP",
      "dig +tcp +time=2 +tries=1 @1.1.1.1 example.org",
    ],
  ];
  test.concurrent.each(refused)("%s", async (_, command) => {
    const { exitCode } = await sandbox(command);
    expect(exitCode).not.toBe(0);
    expect(exitCode).not.toBe(127);
  });

  test("another sandbox's toolbox, which asks nobody", async () => {
    const { exitCode } = await sandbox(
      `curl -sS --max-time 4 http://${other}:2280/version`,
    );
    expect(exitCode).not.toBe(0);
  });

  test("QUIC and other UDP", async () => {
    for (const port of ["443", "4444"]) {
      const { result } = await sandbox(
        `echo ping | nc -u -w 2 1.1.1.1 ${port}`,
      );
      expect(result).not.toContain("ping");
    }
  });

  test("a spoofed source address", async () => {
    const { exitCode, result } = await sandbox(
      `ip address add 10.9.9.9/32 dev eth0 2>&1; curl -sS --max-time 4 --interface 10.9.9.9 http://${gateway}/ca.pem; code=$?; ip address del 10.9.9.9/32 dev eth0; exit $code`,
    );
    expect(result).not.toContain("BEGIN CERTIFICATE");
    expect(exitCode).not.toBe(0);
  });

  test("tampering inside the sandbox changes nothing", async () => {
    // What Docker put there comes back, or it answers no name here any more.
    const { result } = await sandbox(
      "iptables-save >/tmp/rules; nft flush ruleset; cp /etc/hosts /tmp/hosts; echo '203.0.113.20 api.github.com' >>/etc/hosts; ip route replace default via 172.20.0.1; curl -sSk --max-time 60 https://api.github.com/ 2>&1; cat /tmp/hosts >/etc/hosts; iptables-restore /tmp/rules",
    );
    expect(result).not.toContain("stand-in");
    expect(result).toMatch(/refused|Could not connect|Failed to connect/);
  });
});

describe("names that are answered", () => {
  test.each([
    ["api.github.com A", "NOERROR", 1],
    ["API.GitHub.com A", "NOERROR", 1],
    ["api.github.com AAAA", "NOERROR", 0],
    ["api.github.com TXT", "NOERROR", 0],
    ["api.github.com HTTPS", "NOERROR", 0],
    ["github.com A", "NXDOMAIN", 0],
    ["example.org A", "NXDOMAIN", 0],
    ["c2VjcmV0.example.org TXT", "NXDOMAIN", 0],
    ["c2VjcmV0.api.github.com A", "NXDOMAIN", 0],
    ["defikit.net NS", "NXDOMAIN", 0],
    [". NS", "NXDOMAIN", 0],
  ])("%s: %s", async (question, status, answers) => {
    for (const transport of ["+notcp", "+tcp"]) {
      const { result } = await sandbox(
        `dig ${transport} +time=60 +tries=1 ${question}`,
      );
      expect(result).toContain(`status: ${status}`);
      expect(result).toContain(`ANSWER: ${String(answers)},`);
    }
  });

  test("no question of a sandbox leaves the gateway", async () => {
    await askInternet("queries", "-X", "DELETE");
    await sandbox(
      "dig +time=60 +tries=1 c2VjcmV0.example.org; dig +time=60 +tries=1 c2VjcmV0.api.github.com",
    );
    const asked = await askInternet("queries");
    expect(asked.toLowerCase()).not.toContain("c2vjcmv0");
  });
});

test("these probes can fail: without the firewall the world is open", async () => {
  await openRoad();
  try {
    const { result } = await sandbox(
      "curl -sSk --max-time 60 --resolve example.org:443:203.0.113.20 https://example.org/",
    );
    expect(result).toContain("example.org");
    expect(
      (await sandbox("dig +short +time=20 +tries=3 @8.8.8.8 example.org"))
        .result,
    ).toContain("203.0.113.20");
  } finally {
    await closeRoad();
  }
});
