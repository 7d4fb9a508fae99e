/**
 * Learn mode, tried as root in a sandbox: what it lets through, what it does
 * not, what comes of it, and that it ends.
 *
 * @module-tag gateway
 */
import { execa } from "execa";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  afterAll,
  beforeAll,
  beforeEach,
  describe,
  expect,
  test,
} from "vitest";
import { checkout } from "../../scripts/checkout.ts";
import { writtenRules } from "../../scripts/egress/stack-file.ts";
import { arrivedText, forget } from "./bypass/watch.ts";
import {
  clientHello,
  encryptedClientHello,
  records,
} from "../../scripts/verify/client-hello.ts";
import {
  gateway,
  journalFromNow,
  keepRules,
  machine,
  request,
  rule,
  sandbox,
  statusOf,
  trustAgain,
} from "./gateway-rules.ts";
import { runInSandbox } from "./gateway-sandbox-program.ts";
import { script } from "./lab.ts";
import { nameOf, removeNames } from "./leading-names.ts";
import { openStream } from "./sandbox-stream.ts";

// Digits alone would be an address.
const mark = `m${crypto.randomUUID().slice(0, 8)}`;
const unlisted = "https://example.org/";
const echo = "https://openrouter.ai/api/v1/echo";

keepRules();
afterAll(() => rule(request));

const inSeconds = (seconds: number) => ({
  until: new Date(Date.now() + seconds * 1000).toISOString(),
});
const learn = (rules: readonly unknown[], seconds = 1_800, secrets = {}) =>
  rule(rules, secrets, inSeconds(seconds));

/** Refused with the alert that says so, however the name is led to the gateway. */
const atGateway = (host: string) =>
  sandbox(
    `curl -sSk --max-time 60 --resolve '${host}:443:${gateway}' 'https://${host}/' 2>&1`,
  );
const refused = "unrecognized name";

interface Row {
  readonly host: string;
  readonly verdict: string;
  readonly path?: string;
}

let journal: () => Promise<string>;
beforeEach(async () => {
  journal = await journalFromNow("--identifier=daytona-gateway-log");
});

/** What the gateway logged of a host since the test began. */
async function rows(host: string): Promise<Row[]> {
  return (await journal())
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Row)
    .filter((row) => row.host === host);
}

/** The last of them, once there is one. */
const lastRow = (host: string) =>
  expect.poll(async () => (await rows(host)).at(-1));

/** Until the agent has said `words` of the rules. */
async function live(words: string): Promise<void> {
  await machine(
    `for _ in $(seq 600); do
       if grep -q '${words}' /run/daytona-gateway/status.json; then exit 0; fi
       sleep 0.2
     done
     cat /run/daytona-gateway/status.json >&2; exit 1`,
  );
}

test("off, an unlisted host is refused by name and by TLS", async () => {
  await rule(request);
  expect(await statusOf(unlisted)).toMatch(/resolve.*000$/s);
  expect(await atGateway("example.org")).toContain(refused);
});

describe("on", () => {
  beforeAll(async () => {
    await learn(request);
    await trustAgain();
  });
  afterAll(removeNames);

  test("an unlisted host answers through the gateway, and the row says so", async () => {
    expect((await sandbox("dig +short example.org")).trim()).toBe(gateway);
    expect(await sandbox(`curl -sS ${unlisted}`)).toContain("example.org");
    await lastRow("example.org").toMatchObject({
      verdict: "learnt",
      address: "203.0.113.20",
    });
    expect(await statusOf("https://api.github.com/zen")).toBe("200");
    await lastRow("api.github.com").toMatchObject({
      verdict: "allowed",
    });
  });

  test("a name that is only asked for is asked of nobody", async () => {
    await forget();
    const name = `${mark}.example.net`;
    expect((await sandbox(`dig +short ${name}`)).trim()).toBe(gateway);
    for (const type of ["AAAA", "TXT", "HTTPS", "ANY", "MX"]) {
      const answer = await sandbox(`dig ${name} ${type}`);
      expect(answer).toContain("NOERROR");
      expect(answer.includes("ANSWER: 0") || type === "ANY").toBe(true);
    }
    expect(await arrivedText()).not.toContain(mark);
  });

  test.each(["198.18.0.2", "127.0.0.1", gateway, "172.20.0.3"])(
    "a name that leads to %s is refused",
    async (address) => {
      const host = await nameOf(address);
      expect(await statusOf(`https://${host}/`, "-k")).toMatch(/000$/);
      await lastRow(host).toMatchObject({
        verdict: "address_refused",
        address,
      });
    },
  );

  test.each([
    "internet.internal",
    "metadata.google.internal",
    `${mark}.local`,
    `${mark}.corp`,
    `${mark}.10.in-addr.arpa`,
    mark,
    `${mark}-.example.net`,
    `${"a".repeat(64)}.example.net`,
    `${mark}.example.9`,
  ])("a name that is not public is refused unasked: %s", async (host) => {
    await forget();
    expect(await atGateway(host)).toContain(refused);
    await lastRow(host).toMatchObject({ verdict: "host_not_allowed" });
    expect(await arrivedText()).not.toContain(host);
  });

  test("an encrypted hello is refused", async () => {
    const sent = records(
      clientHello({
        names: ["example.org"],
        after: [encryptedClientHello()],
      }),
    );
    const [answer] = await runInSandbox<string[]>(
      "gateway-hellos.ts",
      JSON.stringify([[sent.toString("base64")]]),
    );
    expect(answer).toMatch(/^15030300020270$/);
    await lastRow("example.org").toMatchObject({ verdict: "encrypted_hello" });
  });

  test("addresses, UDP, other ports, IPv6 and plain HTTP stay closed", async () => {
    for (const url of [
      "https://1.1.1.1/",
      "https://203.0.113.20/",
      "https://example.org:8443/",
      "https://[2001:db8:203::20]/",
    ]) {
      expect(await statusOf(url, "-k -g")).toMatch(/000$/);
    }
    expect(
      await statusOf(unlisted, "-k --resolve example.org:443:203.0.113.20"),
    ).toMatch(/000$/);
    expect(await sandbox("echo x | nc -u -w 2 1.1.1.1 4444")).toBe("");
    expect(await sandbox("dig +time=1 +tries=1 @8.8.8.8 example.org")).toMatch(
      /no servers could be reached/,
    );
    expect(await statusOf("http://example.org/")).toBe("403");
  });

  describe("where requests are inspected", () => {
    const models = {
      url: "https://openrouter.ai/api/v1/models",
      methods: ["GET"],
      credential: { header: "authorization", secret: "openrouter" },
    };
    beforeAll(() => learn([models], 1_800, { openrouter: "sk-or-v1-secret" }));

    test("a path and a method that no rule allows pass, and are recorded", async () => {
      expect(await statusOf("https://openrouter.ai/")).toBe("200");
      expect(await statusOf(models.url, "-X POST")).toBe("404");
      await expect
        .poll(() => rows("openrouter.ai"))
        .toEqual(
          expect.arrayContaining([
            expect.objectContaining({
              verdict: "learnt",
              method: "GET",
              path: "/",
              rule: models.url,
            }),
            expect.objectContaining({
              verdict: "learnt",
              method: "POST",
              path: "/api/v1/models",
              rule: models.url,
            }),
          ]),
        );
    });

    test("by the same authority", async () => {
      expect(
        await sandbox("curl -sSv https://openrouter.ai/ 2>&1 | grep issuer"),
      ).toContain("egress CA");
    });

    test("without the credential, and without the sandbox's own", async () => {
      const answer = await sandbox(`curl -sS ${echo}`);
      expect(answer).toContain('"path"');
      expect(answer).not.toMatch(/authorization|sk-or-v1/i);
      const own = await sandbox(
        `curl -sS -H 'Authorization: Bearer own-1' ${echo}`,
      );
      expect(own).toContain("client_credential");
    });

    test.each([
      ["an encoded slash", "https://openrouter.ai/a%2fb", "path_not_canonical"],
      ["a method that is none", "-X TRACE https://openrouter.ai/", "method"],
      [
        "another host",
        "-H 'Host: api.anthropic.com' https://openrouter.ai/",
        "host_mismatch",
      ],
      [
        "an upgrade",
        `--http1.1 -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' ${echo}`,
        "upgrade",
      ],
    ])("%s is refused all the same", async (_, args, reason) => {
      expect(await sandbox(`curl -sS --path-as-is ${args}`)).toContain(
        `(${reason})`,
      );
    });
  });
});

test("the diff, applied, allows exactly what was learnt", async () => {
  const begun = Date.now();
  await learn(request);
  expect(await statusOf(unlisted)).toBe("200");
  await sandbox(`curl -sS --max-time 60 https://203.0.113.77/`);
  await sandbox(`curl -sS --path-as-is "https://openrouter.ai/%2f${mark}"`);
  const tell = () => {
    // A minute more: the command takes its time to start.
    const seconds = Math.ceil((Date.now() - begun) / 1000) + 60;
    return script("egress.ts", ["learn", `--since=${String(seconds)}s`]);
  };
  let told = await tell();
  await expect
    .poll(async () => (told = await tell()))
    .toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining(unlisted) as string,
      stderr: expect.stringMatching(
        /203\.0\.113\.77 tcp 443 +is an address/,
      ) as string,
    });
  await expect
    .poll(async () => (told = await tell()).stderr)
    .toMatch(/more than one meaning/);
  // eslint-disable-next-line no-control-regex
  expect(told.stderr).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f]/);

  const file = "Pulumi.local.yaml";
  const before = await readFile(join(checkout, file), "utf8");
  const directory = await mkdtemp(join(tmpdir(), "daytona-edge-learn-"));
  try {
    await writeFile(join(directory, file), before);
    await execa("git", ["apply"], {
      cwd: directory,
      input: `${told.stdout}\n`,
    });
    const after = await readFile(join(directory, file), "utf8");
    expect(await readFile(join(checkout, file), "utf8")).toBe(before);
    const urls = (text: string) =>
      (writtenRules(text) as (string | { url: string })[]).map((entry) =>
        typeof entry === "string" ? entry : entry.url,
      );
    // Of openrouter.ai the tests before learnt paths.
    const added = urls(after).filter(
      (url) =>
        !urls(before).includes(url) &&
        !url.startsWith("https://openrouter.ai/"),
    );
    expect(added).toEqual(["https://example.org/*"]);
    await rule(writtenRules(after), { openrouter: "sk-or-v1-secret" });
  } finally {
    await rm(directory, { recursive: true });
  }
  expect(await statusOf(unlisted)).toBe("200");
  await lastRow("example.org").toMatchObject({ verdict: "allowed" });
  expect(await atGateway("dns.google")).toContain(refused);
  expect(await sandbox("dig dns.google")).toContain("NXDOMAIN");
});

describe("the end", () => {
  const rules = [
    { url: "https://openrouter.ai/api/v1/*", methods: ["POST"] },
    "https://api.github.com/*",
  ] as const;
  /** A host that they do not list, and a method of one that they inspect. */
  const learnt = "https://api.anthropic.com/v1/sse";
  const learntInspected = "https://openrouter.ai/api/v1/sse";
  const cut = /curl: \((?!28)\d+\).*200$/s;
  const refusedAgain = async () => {
    expect(await statusOf(learnt)).toMatch(/resolve.*000$/s);
    expect(await atGateway("api.anthropic.com")).toContain(refused);
  };

  test("comes by itself: what was open is cut, and only that", async () => {
    await learn(rules);
    await trustAgain();
    const unseen = await openStream(learnt);
    const inspected = await openStream(learntInspected);
    const listed = await openStream("https://api.github.com/sse");
    // The end is set once all are open; that alone cuts none of them.
    await learn(rules, 30);
    await live("learnt until");
    expect(await unseen.ended).toMatch(cut);
    expect(await inspected.ended).toMatch(cut);
    await refusedAgain();
    expect(await listed.stop()).toBe("alive");
  });

  test("comes while the agent is away, and it cuts when it is back", async () => {
    await learn(rules);
    const { ended } = await openStream(learnt);
    // Long enough for a slow machine to stop the agent and to ask.
    const end = inSeconds(60);
    await rule(rules, {}, end);
    await machine("systemctl stop daytona-gateway-agent");
    try {
      expect(await atGateway("api.anthropic.com")).not.toContain(refused);
      const left = new Date(end.until).getTime() - Date.now();
      await sleep(Math.max(0, left + 1_000));
      // HAProxy's own clock.
      expect(await atGateway("api.anthropic.com")).toContain(refused);
    } finally {
      await machine("systemctl start daytona-gateway-agent");
    }
    expect(await ended).toMatch(cut);
    await refusedAgain();
  });

  test("comes when the document goes bad; the rules stay", async () => {
    await learn(rules);
    const { ended } = await openStream(learnt);
    await machine("echo '{' >/var/lib/daytona-edge/store/egress-rules.json");
    await live("not JSON");
    expect(await ended).toMatch(cut);
    await refusedAgain();
    expect(await statusOf("https://api.github.com/zen")).toBe("200");
  });

  test("comes when the document is gone", async () => {
    await learn(rules);
    const { ended } = await openStream(learnt);
    await machine("rm /var/lib/daytona-edge/store/egress-rules.json");
    await live("not in the store");
    expect(await ended).toMatch(cut);
    await refusedAgain();
  });

  test("is too far for a clock that must be wrong: nothing is learnt", async () => {
    await learn(rules, 8 * 86_400);
    await live("does not learn");
    await refusedAgain();
  });

  test("a rule that comes meanwhile cuts what passed unseen", async () => {
    await learn(rules);
    const { ended } = await openStream(learnt);
    await learn([
      ...rules,
      { url: "https://api.anthropic.com/*", inspect: true },
    ]);
    expect(await ended).toMatch(cut);
    expect(await statusOf(unlisted)).toBe("200");
  });
});
