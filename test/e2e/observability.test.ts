/**
 * What an operator sees of an edge, and what it clears away by itself.
 *
 * @module-tag edge
 * @module-tag certificate
 */
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, expect, test } from "vitest";
import { labSecrets } from "../../scripts/lab/secrets.ts";
import {
  DOMAIN,
  FIRST_SANDBOX,
  SECOND_SANDBOX,
  SIGNED_DOMAIN,
  edgeRows,
  inLab,
  labCurl,
  labExec,
  sandboxExec,
  signedOutputs,
} from "./lab.ts";
import { type Key, claims, sign } from "./tokens.ts";

const health = "http://198.18.0.5:8404";
const host = (id: string, port = 3000) =>
  `${id}-${String(port)}.${SIGNED_DOMAIN}`;
let key: Key;
beforeAll(async () => {
  key = (await signedOutputs()).access.key;
});

test("a row of the log says who, what, how long and how it ended", async () => {
  const jti = `row-${crypto.randomUUID()}`;
  const token = sign(key, { ...claims(FIRST_SANDBOX), jti });
  await labCurl([
    ...["-4", "-H", `X-Sandbox-Token: ${token}`],
    `https://${host(FIRST_SANDBOX)}/headers?secret=1`,
  ]);
  const rows = await edgeRows("edge-signed", 20);
  const row = rows.find((line) => line.includes(jti));
  expect(JSON.parse(row ?? "")).toEqual({
    time: expect.any(Number) as number,
    requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    client: "198.18.0.1",
    sandbox: FIRST_SANDBOX,
    port: "3000",
    method: "GET",
    path: "/headers",
    version: "HTTP/2.0",
    status: 200,
    error: "",
    bytesIn: expect.any(Number) as number,
    bytesOut: expect.any(Number) as number,
    requestMs: expect.any(Number) as number,
    queueMs: expect.any(Number) as number,
    connectMs: expect.any(Number) as number,
    responseMs: expect.any(Number) as number,
    totalMs: expect.any(Number) as number,
    retries: 0,
    kid: key.kid,
    jti,
    end: "--",
    tls: "TLSv1.3",
  });
});

test("a request that outlives a reload has its row as well", async () => {
  const jti = `outlives-${crypto.randomUUID()}`;
  const token = sign(key, { ...claims(FIRST_SANDBOX), jti });
  const requests = Array.from({ length: 10 }, () =>
    labCurl([
      ...["-o", "/dev/null", "-w", "%{http_code}"],
      ...["-H", `X-Sandbox-Token: ${token}`],
      `https://${host(FIRST_SANDBOX)}/silent?seconds=6`,
    ]),
  );
  await sleep(2_000);
  const reload = ["systemctl", "reload", "daytona-edge"];
  expect(await labExec("edge-signed", reload)).toMatchObject({ exitCode: 0 });
  for (const { stdout } of await Promise.all(requests)) {
    expect(stdout).toBe("200");
  }
  const rows = await edgeRows("edge-signed", 50);
  expect(rows.filter((row) => row.includes(jti))).toHaveLength(10);
});

test("metrics count what a sandbox was asked, and no stranger's invention", async () => {
  const count = async () => {
    const { stdout } = await labCurl([`${health}/metrics/sandboxes`]);
    expect(stdout).not.toContain(invented);
    const pattern = `daytona_edge_sandbox_requests_total{sandbox="${FIRST_SANDBOX}"} `;
    const line = stdout.split("\n").find((one) => one.startsWith(pattern));
    return Number(line?.slice(pattern.length) ?? 0);
  };
  const invented = crypto.randomUUID();
  await labCurl([`https://${host(invented)}/`]);
  const before = await count();
  const token = sign(key, claims(FIRST_SANDBOX));
  for (let i = 0; i < 3; i++) {
    await labCurl([
      ...["-H", `X-Sandbox-Token: ${token}`],
      `https://${host(FIRST_SANDBOX)}/`,
    ]);
  }
  expect(await count()).toBe(before + 3);
  const { stdout } = await labCurl([`${health}/metrics`]);
  expect(stdout).toContain("haproxy_frontend_http_requests_total");
});

test("they say when the certificate ends, and how its renewal goes", async () => {
  const { stdout } = await labCurl([`${health}/metrics/certificate`]);
  const figures = new Map(
    stdout
      .split("\n")
      .filter((line) => /^[a-z]/.test(line))
      .map((line) => line.split(" ") as [string, string]),
  );
  const named = (name: string) =>
    Number(figures.get(`daytona_edge_certificate_${name}`));
  expect(named("not_after_timestamp_seconds") * 1000).toBeGreaterThan(
    Date.now(),
  );
  const success = named("renewal_success_timestamp_seconds") * 1000;
  expect(success).toBeLessThanOrEqual(Date.now());
  expect(success).toBeGreaterThan(0);
  expect(named("renewal_failed")).toBe(0);
});

test("where Daytona decides, they count what Daytona let in", async () => {
  const host = (id: string) => `https://${id}-3000.${DOMAIN}`;
  const count = async (id: string) => {
    const { stdout } = await labCurl([
      "http://198.18.0.4:8404/metrics/sandboxes",
    ]);
    const pattern = new RegExp(`requests_total\\{sandbox="${id}"\\} (\\d+)`);
    return Number(pattern.exec(stdout)?.[1] ?? 0);
  };
  const token = `X-Daytona-Preview-Token: ${labSecrets().previewToken}`;
  const before = [await count(FIRST_SANDBOX), await count(SECOND_SANDBOX)];
  // A refusal in any of Daytona's words: its redirect, or these statuses.
  await labCurl([`${host(FIRST_SANDBOX)}/status/401`]);
  await labCurl([`${host(FIRST_SANDBOX)}/status/403`]);
  await labCurl([`${host(SECOND_SANDBOX)}/`]);
  expect([await count(FIRST_SANDBOX), await count(SECOND_SANDBOX)]).toEqual(
    before,
  );
  await labCurl([`${host(FIRST_SANDBOX)}/status/404`]);
  await labCurl([`${host(SECOND_SANDBOX)}/`, "-H", token]);
  expect([await count(FIRST_SANDBOX), await count(SECOND_SANDBOX)]).toEqual(
    before.map((one) => one + 1),
  );
});

test("looking leaves no row, and there is nothing else to see", async () => {
  const mark = crypto.randomUUID();
  for (const path of ["healthz", "metrics", "status", mark]) {
    const { stdout } = await labCurl([
      ...["-o", "/dev/null", "-w", "%{http_code}"],
      `${health}/${path}`,
    ]);
    expect(stdout).toBe(path === mark ? "404" : "200");
  }
  const rows = await edgeRows("edge-signed", 20);
  const looks = rows.filter((row) =>
    /"path": "\/(healthz|metrics|status)"/.test(row),
  );
  expect(looks).toEqual([]);
  expect(rows.join()).not.toContain(mark);
});

test("the status says which live state is at work", async () => {
  const { stdout } = await labCurl([`${health}/status`]);
  expect(JSON.parse(stdout)).toMatchObject({
    "certificate.json": { live: expect.stringContaining("serves") as string },
    "access.json": { live: expect.stringContaining(key.kid) as string },
    "revocations.json": { version: expect.any(String) as string },
  });
});

test("a half-closed stream that a sandbox never ends is ended", async () => {
  // It takes every WebSocket, and never says farewell.
  const port = 3990;
  await sandboxExec(
    FIRST_SANDBOX,
    `cat >/tmp/stubborn.cjs <<'END'
require("node:net").createServer({ allowHalfOpen: true }, (socket) => {
  socket.once("data", () => socket.write("HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\\r\\n\\r\\n"));
  socket.on("error", () => undefined);
}).listen(${String(port)});
END
(setsid node /tmp/stubborn.cjs >/dev/null 2>&1 &) ; sleep 1`,
  );
  const halfClosed = async () => {
    const { stdout } = await labExec("edge-signed", [
      ...["ss", "-Htn", "state", "fin-wait-2", `dport = :${String(port)}`],
    ]);
    return stdout.split("\n").filter((line) => line !== "").length;
  };
  try {
    await inLab([
      process.execPath,
      "-e",
      `const socket = require("tls").connect({ host: "198.18.0.5", port: 443, servername: process.argv[1] });
       socket.write("GET /ws HTTP/1.1\\r\\nHost: " + process.argv[1] + "\\r\\nX-Sandbox-Token: " + process.argv[2] + "\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\nSec-WebSocket-Version: 13\\r\\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\\r\\n\\r\\n");
       socket.once("data", () => socket.end());
       socket.on("close", () => process.exit());
       setTimeout(() => process.exit(), 3000);`,
      host(FIRST_SANDBOX, port),
      sign(key, claims(FIRST_SANDBOX, port)),
    ]);
    expect(await halfClosed()).toBe(1);
    await expect.poll(halfClosed, { interval: 2_000 }).toBe(0);
    const { stdout } = await labExec("edge-signed", [
      ..."journalctl --no-pager -o cat -u daytona-edge-agent -n 5".split(" "),
    ]);
    expect(stdout).toContain("ended 1 half-closed connections");
  } finally {
    await sandboxExec(FIRST_SANDBOX, "pkill -f /tmp/stubborn.cjs");
  }
});
