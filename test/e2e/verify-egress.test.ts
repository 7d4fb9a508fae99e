/**
 * What verify says of rules: every kind of them holds on the real gateway, and
 * a gateway that enforces less, or lets less through, is found out.
 *
 * @module-tag gateway
 */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  keepRules,
  machine,
  request,
  rule,
  trustAgain,
} from "./gateway-rules.ts";
import { inLab } from "./lab.ts";

const secrets = { openrouter: "sk-or-v1-0123456789", github: "ghp_0123456789" };
const bearer = { header: "Authorization", scheme: "Bearer" };
const chat = "https://openrouter.ai/api/v1/chat/*";

const strict = [
  { url: chat, credential: { ...bearer, secret: "openrouter" } },
  { url: "https://openrouter.ai/api/v1/models", methods: ["GET", "HEAD"] },
  {
    url: "https://openrouter.ai/api/v1/echo",
    credential: { ...bearer, secret: "openrouter" },
    clientCredential: "deny",
  },
  { url: "https://openrouter.ai/api/v1/ws", upgrade: "websocket" },
  { url: "https://api.anthropic.com/v1/*", inspect: "never" },
  { url: "https://api.github.com/*", ech: "allow" },
  { url: "https://*.github.com/*", wildcard: true },
  { url: "https://*.openrouter.ai/api/*", wildcard: true },
];

/** The same list, with other options at one of its URLs; without any, it goes. */
const changed = (url: string, options?: object) =>
  strict.flatMap((written) =>
    written.url === url ? (options ? [{ url, ...options }] : []) : [written],
  );

/** Names of the probes of these rules that fail. */
async function failures(written: readonly unknown[]): Promise<string[]> {
  const { stdout, stderr } = await inLab([
    process.execPath,
    join(import.meta.dirname, "fixtures/rule-failures.ts"),
    JSON.stringify(written),
    JSON.stringify(Object.values(secrets)),
  ]);
  expect(stdout, stderr).not.toBe("");
  const failed = JSON.parse(stdout) as { name: string; got: string }[];
  for (const { name, got } of failed) console.log(`✗ ${name}: ${got}`);
  return failed.map(({ name }) => name);
}

keepRules();

test("the request's own rules: Test 2 with the sandbox's key", async () => {
  await rule(request);
  await trustAgain();
  expect(await failures(request)).toEqual([]);
});

describe("every kind of rule", () => {
  beforeAll(async () => {
    await rule(strict, secrets);
    await trustAgain();
  });
  afterAll(async () => {
    await rule(request);
  });

  test("holds; Test 2 with a key of the sandbox's, and without any", async () => {
    expect(await failures(strict)).toEqual([]);
  });

  test.each([
    [
      "a wider path",
      [...strict, "https://openrouter.ai/api/v1/daytona-edge-verify"],
      ["openrouter.ai: what is not"],
    ],
    [
      "all methods",
      changed("https://openrouter.ai/api/v1/models", {}),
      ["openrouter.ai: what is not"],
    ],
    [
      "a sandbox's own key replaced, not denied",
      changed("https://openrouter.ai/api/v1/echo", {
        credential: { ...bearer, secret: "openrouter" },
      }),
      ["openrouter.ai: what is not"],
    ],
    [
      "a WebSocket where none may be",
      changed("https://openrouter.ai/api/v1/models", {
        methods: ["GET", "HEAD"],
        upgrade: "websocket",
      }),
      ["openrouter.ai: what is not"],
    ],
    [
      "no WebSocket where one may be",
      changed("https://openrouter.ai/api/v1/ws", {}),
      ["openrouter.ai: what is allowed"],
    ],
    [
      "no rule",
      changed("https://openrouter.ai/api/v1/models"),
      ["openrouter.ai: what is allowed", "openrouter.ai: what is not"],
    ],
    [
      "no credential",
      changed(chat, {}),
      ["Test 2 without a key in the sandbox"],
    ],
    [
      "an inspected host that should pass through",
      changed("https://api.anthropic.com/v1/*", { inspect: true }),
      ["api.anthropic.com: what is allowed", "api.anthropic.com: what is not"],
    ],
    [
      "encrypted hellos refused",
      changed("https://api.github.com/*", {}),
      ["api.github.com: what is allowed"],
    ],
    [
      "names below a host",
      [...strict, { url: "https://*.api.anthropic.com/*", wildcard: true }],
      ["api.anthropic.com: what is not"],
    ],
    [
      "two labels below a wildcard",
      [
        ...strict,
        { url: "https://*.daytona-edge-verify.github.com/*", wildcard: true },
      ],
      ["*.github.com: what is not"],
    ],
  ])("%s is found out", async (_, atGateway, found) => {
    await rule(atGateway, secrets);
    // Other hosts to inspect are another authority.
    await trustAgain();
    expect((await failures(strict)).sort()).toEqual(found.sort());
  });

  test("a gateway that lets a host say the secret is found out", async () => {
    await rule(strict, secrets);
    await trustAgain();
    const configuration = "/etc/daytona-edge/gateway/haproxy.cfg";
    await machine(
      `cp -p ${configuration} /run/kept; sed -i '/filter lua.redact/d' ${configuration}; systemctl reload daytona-gateway`,
    );
    try {
      expect(await failures(strict)).toEqual([
        "openrouter.ai: what is allowed",
      ]);
    } finally {
      await machine(
        `cp -p /run/kept ${configuration}; rm /run/kept; systemctl reload daytona-gateway`,
      );
    }
  });

  test("a gateway that has lost its secrets is found out", async () => {
    await rule(strict, secrets);
    await trustAgain();
    await machine(
      "systemctl stop daytona-gateway-agent; echo 'clear map /var/lib/daytona-edge/gateway/maps/credentials.map' | socat - /run/daytona-gateway/haproxy.sock",
    );
    try {
      expect(await failures(strict)).toContain(
        "openrouter.ai: what is allowed",
      );
    } finally {
      await machine("systemctl start daytona-gateway-agent");
    }
  });
});
