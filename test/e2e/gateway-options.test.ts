/**
 * What a rule may ask for beside its URL, each tried as root inside a sandbox.
 *
 * @module-tag gateway
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  clientHello,
  encryptedClientHello,
  records,
} from "../../scripts/verify/client-hello.ts";
import {
  keepRules,
  machine,
  rule,
  sandbox,
  statusOf,
  trustAgain,
} from "./gateway-rules.ts";
import { askOnOneConnection, runInSandbox } from "./gateway-sandbox-program.ts";

/** Long, and with every character that one may have. */
const secret = `sk-or-v1-${"Az09._~+/=:-".repeat(20)}`;
const github = "ghp_0123456789abcdefghij";
const echo = "https://openrouter.ai/api/v1/echo";

keepRules();

interface Echoed {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Where a client may carry a key, beside Authorization. */
const keyHeaders = [
  ...["X-Api-Key", "Api-Key", "X-Goog-Api-Key", "X-Auth-Token"],
  ...["Private-Token", "Cookie", "X-Auth-Key", "X-Access-Token"],
  ...["X-Amz-Security-Token", "X-Vault-Token", "Ocp-Apim-Subscription-Key"],
  ...["DD-API-KEY", "DD-APPLICATION-KEY", "xi-api-key", "Job-Token"],
  ...["X-Daytona-Preview-Token", "X-Daytona-Authorization"],
  ...["X-Nightona-Preview-Token", "X-Nightona-Authorization"],
];
const keyNames = [
  ...["key", "token", "secret", "api_key", "apikey", "api-key", "auth.token"],
  ...["private_token", "client_secret", "%61ccess%5ftoken", "sig"],
  ...["signature", "password", "X-Amz-Credential", "X-Amz-Signature"],
  ...["X-Amz-Security-Token", "DAYTONA_SANDBOX_AUTH_KEY"],
  "NIGHTONA_SANDBOX_AUTH_KEY",
];

/** What arrived at the real host. */
async function arrived(args: string): Promise<Echoed> {
  return JSON.parse(await sandbox(`curl -sS ${args}`)) as Echoed;
}

async function reasonOf(args: string): Promise<string> {
  const answer = await sandbox(`curl -sS ${args}`);
  const { error } = JSON.parse(answer) as {
    error: { code: string; message: string; rule: string };
  };
  expect(error.code).toBe("egress_denied");
  return `${/\(([a-z_]+)\)/.exec(error.message)?.[1] ?? ""} ${error.rule}`;
}

describe("methods", () => {
  const all = "https://openrouter.ai/api/v1/*";
  const exact = "https://openrouter.ai/api/v1/echo";
  beforeAll(async () => {
    await rule([
      { url: all, methods: ["GET", "HEAD"] },
      { url: exact, methods: ["POST"] },
      { url: `${all.slice(0, -1)}keys/*`, methods: ["POST"] },
    ]);
  });

  test.each([
    ["-X POST -d x", echo, "200"],
    ["", echo, "200"],
    ["", "https://openrouter.ai/api/v1/models", "200"],
    ["-X DELETE", echo, "403"],
    ["-X POST -d x", "https://openrouter.ai/api/v1/models", "403"],
    ["-X GETT", echo, "403"],
  ])("%s %s: %s", async (args, url, status) => {
    expect(await statusOf(url, args)).toBe(status);
    expect(await statusOf(url, `--http1.1 ${args}`)).toBe(status);
  });

  test("the refusal names the rule whose methods it is about", async () => {
    expect(await reasonOf(`-X DELETE ${echo}`)).toBe(
      `method_not_allowed ${exact}`,
    );
  });

  test("an encoded slash may not choose between two rules", async () => {
    const keys = "https://openrouter.ai/api/v1/keys";
    expect(await statusOf(`${keys}/a%2Fb`)).not.toBe("403");
    expect(await reasonOf(`${keys}%2Fa`)).toMatch(/^path_not_canonical /);
  });
});

describe("a WebSocket", () => {
  const webSocket =
    // One that is open ends by curl's limit alone.
    "--http1.1 --max-time 15 -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='";
  beforeAll(async () => {
    await rule([
      { url: "https://openrouter.ai/api/v1/*", upgrade: "websocket" },
    ]);
  });

  test("goes through where a rule allows it", async () => {
    expect(
      await statusOf("https://openrouter.ai/api/v1/ws", webSocket),
    ).toMatch(/101$/);
  });

  test("goes through by HTTP/2, too", async () => {
    expect(
      await runInSandbox("gateway-websocket.ts", "openrouter.ai", "/api/v1/ws"),
    ).toBe(200);
  });

  test("by HTTP/2 an answer that is none does not look like an open one", async () => {
    expect(
      await runInSandbox(
        "gateway-websocket.ts",
        "openrouter.ai",
        "/api/v1/ws/none",
      ),
    ).toBe(502);
  });

  test.each([
    "-H 'Upgrade: websocket, telnet'",
    "-H 'Upgrade: telnet' -H 'Upgrade: websocket'",
  ])("nor does it take another one along: %s", async (fields) => {
    const args = webSocket.replace("-H 'Upgrade: websocket'", fields);
    expect(await reasonOf(`${args} https://openrouter.ai/api/v1/ws`)).toMatch(
      /^upgrade /,
    );
  });

  // By HTTP/1.1, which only an upgrade is sent on with here.
  test("takes no field along that the next hop would drop for its Connection", async () => {
    const args = webSocket.replace(
      "Connection: Upgrade",
      "Connection: Upgrade, Authorization, Accept-Encoding",
    );
    const said = await sandbox(
      `curl -sS ${args} -H 'Authorization: Bearer mine' https://openrouter.ai/api/v1/ws/none`,
    );
    expect(JSON.parse(said)).toMatchObject({
      authorization: "Bearer mine",
      connection: expect.stringMatching(/^upgrade$/i) as string,
    });
  });

  test.each(["h2c", "telnet", "websocket2"])(
    "no other upgrade does: %s",
    async (protocol) => {
      const upgrade = `--http1.1 -H 'Connection: Upgrade' -H 'Upgrade: ${protocol}'`;
      expect(await reasonOf(`${upgrade} ${echo}`)).toMatch(/^upgrade /);
    },
  );
});

test("two upgrades at once are no request at all", async () => {
  const both = "-H 'Connection: Upgrade' -H 'Upgrade: websocket, h2c'";
  expect(await statusOf(echo, `--http1.1 ${both}`)).toBe("400");
});

describe("a credential of the gateway's", () => {
  const openrouter = {
    url: "https://openrouter.ai/api/v1/*",
    credential: {
      header: "Authorization",
      scheme: "Bearer",
      secret: "openrouter",
    },
  };
  const rules = [
    openrouter,
    {
      url: "https://api.github.com/*",
      credential: { header: "Authorization", secret: "github" },
      clientCredential: "deny",
    },
  ];
  beforeAll(async () => {
    await rule(rules, { openrouter: secret, github });
    await trustAgain();
  });

  test("Test 2 of the request without any key", async () => {
    const answer = await sandbox(
      `curl -sS -X POST https://openrouter.ai/api/v1/chat/completions -H "Content-Type: application/json" -d '{"model":"anthropic/claude-sonnet-4","messages":[{"role":"user","content":"Hello"}]}'`,
    );
    expect(JSON.parse(answer)).toMatchObject({ object: "chat.completion" });
  });

  test("arrives, and is nowhere in the answer: body, header, length as it was", async () => {
    const answer = await sandbox(`curl -sSi ${echo}`);
    expect(answer).not.toContain(secret.slice(0, 30));
    expect(answer).toMatch(/^x-echo: heard Bearer \*{249}\r$/m);
    expect(answer).not.toMatch(/^set-cookie/im);
    const body = JSON.parse(answer.split("\r\n\r\n").at(-1) ?? "") as Echoed;
    expect(body.headers.authorization).toBe(`Bearer ${"*".repeat(249)}`);
  });

  test("is nowhere in an answer that is full of it", async () => {
    const mixed = "sk-or-v1-AbCd0123";
    await rule(rules, { openrouter: mixed, github });
    const answer = await sandbox(`curl -sSi '${echo}?name&q=${mixed}'`);
    expect(answer).not.toMatch(/sk-or-v1/i);
    expect(answer).toMatch(/^x-echo-lines: heard\r$/m);
    expect(answer).toMatch(/^x-echo-lines: Bearer \*{17}\r$/m);
    expect(answer).toMatch(/^x-\*{17}: heard\r$/m);
    const body = JSON.parse(answer.split("\r\n\r\n").at(-1) ?? "") as Echoed;
    expect(body.path).toMatch(/&q=\*{17}$/);
    expect(body.headers.authorization).toBe(`Bearer ${"*".repeat(17)}`);
    await rule(rules, { openrouter: secret, github });
  });

  test("an answer that ends as the secret begins comes to its end", async () => {
    await rule(rules, { openrouter: secret, github: ".0123456" });
    const zen = "curl -sS --max-time 60 https://api.github.com/zen";
    expect(await sandbox(zen)).toBe("Keep it logically awesome.");
    await rule(rules, { openrouter: secret, github });
  });

  test("no part of an answer is asked for, which could end in the middle of it", async () => {
    const { headers } = await arrived(
      `-H 'Range: bytes=0-30' -H 'If-Range: "x"' -H 'Request-Range: bytes=0-30' ${echo}`,
    );
    expect(Object.keys(headers).filter((name) => /range/.test(name))).toEqual(
      [],
    );
  });

  test("an answer in pieces does not show it either", async () => {
    await rule(rules, { openrouter: "sk-or-v1-0123456789", github });
    for (const version of ["--http1.1", "--http2"]) {
      const said = await arrived(`${version} '${echo}?pieces'`);
      expect(said.headers.authorization).toBe(`Bearer ${"*".repeat(19)}`);
    }
    await rule(rules, { openrouter: secret, github });
  });

  test.each([
    ["a key", "-H 'Authorization: Bearer stolen-1'"],
    [
      "two keys",
      "-H 'Authorization: Bearer stolen-1' -H 'authorization: x stolen-2'",
    ],
    [
      "any other kind of key",
      keyHeaders.map((name) => `-H '${name}: a=stolen-${name}'`).join(" "),
    ],
  ])("%s that the sandbox brings does not arrive", async (_, args) => {
    await rule(rules, { openrouter: "sk-or-v1-0123456789", github });
    const { headers } = await arrived(`${args} ${echo}`);
    expect(JSON.stringify(headers)).not.toContain("stolen");
    expect(headers.authorization).toBe(`Bearer ${"*".repeat(19)}`);
  });

  test("nor does one in the query; what else is there stays", async () => {
    const { path } = await arrived(
      `'${echo}?q=1&${keyNames.map((name) => `${name}=stolen-${name}`).join("&")}&x=2'`,
    );
    expect(path.match(/[^&]*stolen[^&]*/g) ?? []).toEqual([]);
    expect(path).toMatch(/q=1&.*x=2$/);
  });

  test.each([
    "-H 'Authorization: Bearer stolen-1' https://api.github.com/echo",
    "-u me:stolen-1 https://api.github.com/echo",
  ])("where it is denied: %s", async (args) => {
    expect(await reasonOf(args)).toBe(
      "client_credential https://api.github.com/*",
    );
  });

  test("so is every other kind of key, in a header or in the query", async () => {
    const url = "https://api.github.com/echo";
    const wanted = [
      ...keyHeaders.map((name) => [name, `-H '${name}: a=1' ${url}`]),
      ...keyNames.map((name) => [name, `'${url}?a=1&${name}=1'`]),
    ];
    const said = await sandbox(
      wanted
        .map(([name = "", args = ""]) => `echo '${name}' $(curl -sS ${args})`)
        .join("\n"),
    );
    const passed = said
      .split("\n")
      .filter((line) => !line.includes("(client_credential)"));
    expect(passed).toEqual([]);
  });

  test.each(["X-Api-Key", "Api-Key", "X-Goog-Api-Key"])(
    "arrives as %s where the rule says so, and is as unseen",
    async (header) => {
      const credential = { header, secret: "openrouter" };
      await rule([{ ...openrouter, credential }, ...rules.slice(1)], {
        openrouter: "sk-or-v1-0123456789",
        github,
      });
      const { headers } = await arrived(`--compressed ${echo}`);
      expect(headers[header.toLowerCase()]).toBe("*".repeat(19));
      expect(headers["accept-encoding"]).toBe("identity");
      await rule(rules, { openrouter: secret, github });
    },
  );

  test("each host gets its own", async () => {
    const atGithub = await sandbox("curl -sS https://api.github.com/echo");
    expect(atGithub).toContain(`"authorization":"${"*".repeat(24)}"`);
  });

  test("two answers at once show neither", async () => {
    await rule(rules, { openrouter: "sk-or-v1-0123456789", github });
    const both = await sandbox(
      `curl -sS '${echo}?pieces' & curl -sS -o /tmp/other 'https://api.github.com/echo?pieces'; wait; cat /tmp/other; rm /tmp/other`,
    );
    expect(both).toContain(`"authorization":"Bearer ${"*".repeat(19)}"`);
    expect(both).toContain(`"authorization":"${"*".repeat(24)}"`);
    await rule(rules, { openrouter: secret, github });
  });

  test("it is in no file that others can read, no argument, no log", async () => {
    await rule(rules, { openrouter: "sk-or-v1-unlikely-0123", github });
    await sandbox(`curl -sS ${echo} https://openrouter.ai/api/v2/echo`);
    const found = await machine(
      `ps -eo args | grep -c 'unlikely-012[3]' || true
       find /etc /run /var /tmp /root /usr/local -xdev -type f -exec grep -l 'unlikely-012[3]' {} + 2>/dev/null | sort | xargs stat -c '%U %a %n'
       journalctl --sync; journalctl --no-pager --since=-30min | grep -c 'unlikely-012[3]' || true`,
    );
    expect(found.trim().split("\n")).toEqual([
      "0",
      "root 600 /var/lib/daytona-edge/gateway/maps/credentials.map",
      "root 600 /var/lib/daytona-edge/store/egress-credentials.json",
      "0",
    ]);
  });

  test("a rotated one is used by the next request, on a connection that stands", async () => {
    await rule(rules, { openrouter: "sk-or-v1-0123456789", github });
    const seen = await askOnOneConnection(
      ["openrouter.ai", "/api/v1/echo"],
      "meanwhile",
      () => rule(rules, { openrouter: "sk-or-v1-another", github }),
    );
    expect(seen.length).toBeGreaterThan(2);
    expect(seen).toEqual(seen.map(() => "200"));
    const { headers } = await arrived(echo);
    expect(headers.authorization).toBe(`Bearer ${"*".repeat(16)}`);
  });

  test("a secret that a rule needs cannot be taken away, a rule without one not be added", async () => {
    await rule(rules, { openrouter: secret, github });
    const store = "/var/lib/daytona-edge/store";
    await machine(
      `echo '{"version":1,"credentials":{}}' >${store}/egress-credentials.json`,
    );
    const status = () => machine("cat /run/daytona-gateway/status.json");
    await expect.poll(status).toContain('needs the secret \\"openrouter\\"');
    expect(await status()).not.toContain(secret.slice(0, 20));
    await rule(rules, { openrouter: secret, github });
    expect(await statusOf(echo)).toBe("200");
  });

  test("a gateway whose map has lost it lets nothing through", async () => {
    await machine(
      "systemctl stop daytona-gateway-agent; echo 'clear map /var/lib/daytona-edge/gateway/maps/credentials.map' | socat - /run/daytona-gateway/haproxy.sock",
    );
    try {
      expect(await reasonOf(echo)).toMatch(/^credential_missing /);
    } finally {
      await machine("systemctl start daytona-gateway-agent");
    }
    expect(await statusOf(echo)).toBe("200");
  });
});

describe("without a credential of the gateway's", () => {
  test("what the sandbox brings arrives, unless it is denied", async () => {
    await rule(["https://openrouter.ai/api/v1/*"]);
    await trustAgain();
    const { headers } = await arrived(
      `-H 'Authorization: Bearer own-1' ${echo}`,
    );
    expect(headers.authorization).toBe("Bearer own-1");
    await rule([
      { url: "https://openrouter.ai/api/v1/*", clientCredential: "deny" },
    ]);
    expect(await reasonOf(`-H 'Authorization: Bearer own-1' ${echo}`)).toMatch(
      /^client_credential/,
    );
    expect(await statusOf(echo)).toBe("200");
  });
});

test("no header tells the real host another path, method or client", async () => {
  await rule(["https://openrouter.ai/api/v1/*"]);
  await trustAgain();
  const names = [
    ...["X-HTTP-Method", "X-HTTP-Method-Override", "X-Method-Override"],
    ...["X-Original-URL", "X-Rewrite-URL", "Forwarded", "X-Forwarded-Host"],
    ...["X-Forwarded-For", "Proxy-Authorization", "Proxy-Connection"],
  ];
  const fields = names.map((name) => `-H '${name}: planted'`).join(" ");
  const { headers } = await arrived(`${fields} ${echo}`);
  const planted = Object.keys(headers).filter(
    (name) => headers[name] === "planted",
  );
  expect(planted).toEqual([]);
});

describe("names", () => {
  const hello = async (name: string) => {
    const sent = records(
      clientHello({ names: [name], after: [encryptedClientHello()] }),
    );
    const [answer] = await runInSandbox<string[]>(
      "gateway-hellos.ts",
      JSON.stringify([[sent.toString("base64")]]),
    );
    return answer;
  };

  test("an encrypted hello passes only where the rule says so", async () => {
    await rule([
      { url: "https://api.github.com/*", ech: "allow" },
      "https://api.anthropic.com/*",
    ]);
    expect(await hello("api.github.com")).toMatch(/^160303/);
    expect(await hello("api.anthropic.com")).toMatch(/^15030300020270$/);
  });

  test("inspect: never opens the whole host, unseen", async () => {
    await rule([{ url: "https://openrouter.ai/api/v1/*", inspect: "never" }]);
    expect(await statusOf("https://openrouter.ai/")).toBe("200");
    expect(
      await sandbox(
        "curl -sSv https://openrouter.ai/ 2>&1 | grep -c 'issuer.*egress CA'",
      ),
    ).toMatch(/^0/);
  });

  describe("a wildcard", () => {
    afterAll(async () => {
      await rule([]);
    });

    test.each([false, true])(
      "stands for one label; inspect: %s",
      async (inspect) => {
        await rule([
          { url: "https://*.github.com/*", wildcard: true, inspect },
        ]);
        await trustAgain();
        expect(await statusOf("https://api.github.com/zen")).toBe("200");
        for (const name of ["github.com", "a.api.github.com"]) {
          const resolved = `--resolve ${name}:443:169.254.20.1 -k`;
          expect(await statusOf(`https://${name}/`, resolved)).toMatch(/000$/);
        }
        expect(await sandbox("dig +short raw.github.com")).toContain(
          "169.254.20.1",
        );
        expect(await sandbox("dig raw.github.org")).toContain("NXDOMAIN");
      },
    );

    test("an exact rule beside it counts for its own name", async () => {
      await rule([
        { url: "https://*.github.com/*", wildcard: true, inspect: true },
        { url: "https://api.github.com/zen", methods: ["GET"] },
      ]);
      await trustAgain();
      expect(await statusOf("https://api.github.com/zen")).toBe("200");
      expect(await statusOf("https://api.github.com/user")).toBe("403");
    });
  });
});
