/**
 * What one sandbox may take of a gateway: the greedy one is refused, and
 * another one is served as if there were no such. The gateway's limits are low
 * for this, and its files so few that 150 inspected connections take them all.
 *
 * @module-tag gateway
 */
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { journalFromNow, keepRules, machine } from "./gateway-rules.ts";
import { runIn } from "./gateway-sandbox-program.ts";
import { FIRST_SANDBOX, SECOND_SANDBOX, sandboxExec } from "./lab.ts";

const env = "/etc/daytona-edge/gateway/env";
const dropIn = "/run/systemd/system/daytona-gateway.service.d";
const limits = {
  CONNECTIONS: 50,
  // Of ten seconds.
  HANDSHAKES: 200,
  REQUESTS: 100,
  CONCURRENT: 10,
};

/** Shell: other values for limits, in the environment of the gateway. */
const withLimits = (values: Partial<typeof limits>) =>
  `sed -i ${Object.entries(values)
    .map(
      ([name, value]) =>
        `-e 's/^GATEWAY_SANDBOX_${name}=.*/GATEWAY_SANDBOX_${name}=${String(value)}/'`,
    )
    .join(" ")} ${env}`;

keepRules();

beforeAll(async () => {
  await machine(
    `cp -p ${env} /run/gateway-env
     ${withLimits(limits)}
     mkdir -p ${dropIn}
     printf '[Service]\\nLimitNOFILE=600\\n' >${dropIn}/few-files.conf
     systemctl daemon-reload
     systemctl restart daytona-gateway`,
  );
});

afterAll(async () => {
  await machine(
    `cp -p /run/gateway-env ${env}
     rm -r ${dropIn} /run/gateway-env
     systemctl daemon-reload
     systemctl restart daytona-gateway`,
  );
});

/** What a sandbox gets for ten requests, by status. */
async function served(
  sandbox: string,
  url = "https://openrouter.ai/api/v1/models",
): Promise<string> {
  const { result } = await sandboxExec(
    sandbox,
    `for _ in $(seq 10); do curl -sk -o /dev/null --max-time 30 -w '%{http_code} ' ${url}; done`,
  );
  return result.trim();
}
const allOf = (status: string) => Array<string>(10).fill(status).join(" ");

/** A sandbox that holds connections while something happens. */
async function holding(
  count: number,
  port: 80 | 443,
  happens: () => Promise<void>,
): Promise<Record<string, number>> {
  const file = `/tmp/greed-${crypto.randomUUID()}`;
  const greed = runIn<Record<string, number>>(
    FIRST_SANDBOX,
    "gateway-greed.ts",
    ...["hold", String(count), String(port), file],
  );
  const held = sandboxExec(
    FIRST_SANDBOX,
    `for _ in $(seq 1200); do if [ -e ${file}.held ]; then break; fi; sleep 0.1; done`,
  );
  await Promise.race([held, greed]);
  try {
    await happens();
  } finally {
    await sandboxExec(FIRST_SANDBOX, `touch ${file}`);
  }
  return await greed;
}

test.each([443, 80] as const)("connections, to port %i", async (port) => {
  const url = port === 80 ? "http://169.254.20.1/ca.pem" : undefined;
  expect(await served(SECOND_SANDBOX, url)).toBe(allOf("200"));
  const got = await holding(150, port, async () => {
    expect(await served(SECOND_SANDBOX, url)).toBe(allOf("200"));
  });
  expect(got).toEqual({ open: limits.CONNECTIONS, closed: 100 });
  await forgotten();
});

test("requests at a time, streams included", async () => {
  const got = await runIn(
    SECOND_SANDBOX,
    "gateway-greed.ts",
    ...["stream", "30"],
  );
  expect(got).toEqual({ 200: limits.CONCURRENT, 429: 20 });
});

test("requests", async () => {
  const rows = await journalFromNow("-t daytona-gateway-log");
  const got = await runIn<Record<string, unknown>>(
    FIRST_SANDBOX,
    "gateway-greed.ts",
    ...["request", "200"],
  );
  expect(await served(SECOND_SANDBOX)).toBe(allOf("200"));
  expect(Number(got["200"])).toBeGreaterThan(0);
  expect(Number(got["429"])).toBeGreaterThan(0);
  expect(got.refusal).toMatchObject({
    body: expect.stringContaining('"egress_rate_limited"') as string,
    retryAfter: "10",
  });
  await vi.waitFor(async () => {
    expect(/"verdict": "rate_limited"/.test(await rows())).toBe(true);
  }, 60_000);
});

test("answers that it does not read", async () => {
  const file = `/tmp/unread-${crypto.randomUUID()}`;
  // No stream may be sent anything (RFC 9113, 6.5.2), so its answer stays here.
  const unread = `
    const { connect } = require("node:http2"), fs = require("node:fs");
    const content = "x".repeat(60_000);
    const body = JSON.stringify({ model: "m", messages: [{ role: "user", content }] });
    let answered = 0;
    const ask = () => {
      const session = connect("https://openrouter.ai", {
        rejectUnauthorized: false, settings: { initialWindowSize: 0 } });
      const stream = session.request({ ":method": "POST",
        ":path": "/api/v1/chat/completions", authorization: "Bearer mine",
        "content-type": "application/json" });
      for (const it of [session, stream]) it.on("error", () => undefined);
      stream.on("response", ({ ":status": status }) => {
        if (status === 200) {
          if (++answered === 5) fs.writeFileSync("${file}", "");
          else ask();
        } else {
          // The test before has used up what it may ask in ten seconds.
          session.destroy();
          setTimeout(ask, 11_000);
        }
      });
      stream.end(body);
    };
    ask();
    setInterval(() => { if (fs.existsSync("${file}.end")) process.exit(); }, 200);`;
  const held = sandboxExec(
    FIRST_SANDBOX,
    `timeout 250 node -e '${unread}'; rm -f ${file} ${file}.end`,
  );
  const { result } = await sandboxExec(
    FIRST_SANDBOX,
    `for _ in $(seq 600); do if [ -e ${file} ]; then echo held; break; fi; sleep 0.1; done`,
  );
  expect(result.trim()).toBe("held");
  expect(await served(SECOND_SANDBOX)).toBe(allOf("200"));
  await sandboxExec(FIRST_SANDBOX, `touch ${file}.end`);
  await held;
});

test("a connection of malformed requests", async () => {
  // ENHANCE_YOUR_CALM (RFC 9113, 7).
  expect(
    await runIn(FIRST_SANDBOX, "gateway-greed.ts", ...["malformed", "400"]),
  ).toBe(11);
});

test("new connections", async () => {
  const got = await runIn<Record<string, number>>(
    FIRST_SANDBOX,
    "gateway-greed.ts",
    ...["connect", "500"],
  );
  expect(await served(SECOND_SANDBOX)).toBe(allOf("200"));
  // The rate slides, so on a busy machine more than at once.
  expect(got.open).toBeGreaterThanOrEqual(limits.HANDSHAKES - 50);
  expect(got.closed).toBeGreaterThan(0);
});

test("limits that change are taken by a reload", async () => {
  const shown = await machine(
    `${withLimits({ CONNECTIONS: 49 })}
     systemctl reload daytona-gateway
     echo "show env GATEWAY_SANDBOX_CONNECTIONS" | socat - /run/daytona-gateway/haproxy.sock`,
  );
  expect(shown).toContain("GATEWAY_SANDBOX_CONNECTIONS=49");
});

/** Until the rate of the greedy sandbox's connections is no more. */
async function forgotten(): Promise<void> {
  await vi.waitFor(async () => {
    const table = await machine(
      "echo 'show table sandboxes' | socat - /run/daytona-gateway/haproxy.sock",
    );
    const rates = [...table.matchAll(/conn_rate\(\d+\)=(\d+)/g)];
    expect(rates.every(([, rate]) => Number(rate) < 20)).toBe(true);
  }, 60_000);
}
