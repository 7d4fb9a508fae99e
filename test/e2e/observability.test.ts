/**
 * What an operator sees of an edge, and what it clears away by itself.
 *
 * @module-tag edge
 * @module-tag certificate
 */
import { beforeAll, expect, test } from "vitest";
import { labSecrets } from "../../scripts/lab/secrets.ts";
import { openRequests, rowOf, rowsSince } from "./edge-health.ts";
import {
  DOMAIN,
  FIRST_SANDBOX,
  SECOND_SANDBOX,
  SIGNED_DOMAIN,
  edgeRows,
  inLab,
  labCurl,
  labExec,
  signedOutputs,
} from "./lab.ts";
import { startListener } from "./sandbox-listener.ts";
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
  const begun = Date.now();
  await labCurl([
    ...["-4", "-H", `X-Sandbox-Token: ${token}`],
    `https://${host(FIRST_SANDBOX)}/headers?secret=1`,
  ]);
  expect(await rowOf("edge-signed", begun, { jti })).toEqual({
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
  // On the edge that waits for an answer as long as it takes.
  const app = `https://${FIRST_SANDBOX}-3000.${DOMAIN}`;
  // The figures have no sandbox to which nobody was let in yet.
  await labCurl([app]);
  const begun = Date.now();
  const requests = Array.from({ length: 10 }, () =>
    labCurl([
      ...["-o", "/dev/null", "-w", "%{http_code}"],
      `${app}/silent?seconds=45`,
    ]),
  );
  await expect
    .poll(() => openRequests("edge", FIRST_SANDBOX))
    .toBeGreaterThanOrEqual(10);
  const reload = ["systemctl", "reload", "daytona-edge"];
  expect(await labExec("edge", reload)).toMatchObject({ exitCode: 0 });
  for (const { stdout } of await Promise.all(requests)) {
    expect(stdout).toBe("200");
  }
  await expect
    .poll(async () => {
      const rows = await rowsSince("edge", begun);
      return rows.filter(({ path }) => path === "/silent");
    })
    .toHaveLength(10);
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
  const stubborn = await startListener(
    FIRST_SANDBOX,
    "stubborn",
    `require("node:net").createServer({ allowHalfOpen: true }, (socket) => {
  socket.once("data", () => socket.write("HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\\r\\n\\r\\n"));
  socket.on("error", () => undefined);
  socket.on("end", () => console.log("half-closed"));
  socket.on("close", () => console.log("ended"));
}).listen(${String(port)}, () => console.log("ready"));`,
  );
  const halfClosed = async () => {
    const { stdout } = await labExec("edge-signed", [
      ...["ss", "-Htn", "state", "fin-wait-2", `dport = :${String(port)}`],
    ]);
    return stdout.split("\n").filter((line) => line !== "").length;
  };
  const begun = Math.floor(Date.now() / 1000);
  try {
    await inLab([
      process.execPath,
      "-e",
      `const socket = require("tls").connect({ host: "198.18.0.5", port: 443, servername: process.argv[1] });
       socket.write("GET /ws HTTP/1.1\\r\\nHost: " + process.argv[1] + "\\r\\nX-Sandbox-Token: " + process.argv[2] + "\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\nSec-WebSocket-Version: 13\\r\\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\\r\\n\\r\\n");
       socket.once("data", () => { socket.end(); setTimeout(() => process.exit(), 3000); });
       socket.on("close", () => process.exit());`,
      host(FIRST_SANDBOX, port),
      sign(key, claims(FIRST_SANDBOX, port)),
    ]);
    await expect.poll(stubborn.log).toContain("half-closed");
    const saidByAgent = async () => {
      const { stdout } = await labExec("edge-signed", [
        ..."journalctl --no-pager -o cat -u daytona-edge-agent".split(" "),
        `--since=@${String(begun)}`,
      ]);
      return stdout;
    };
    await expect.poll(saidByAgent).toContain("ended 1 half-closed connections");
    expect(await halfClosed()).toBe(0);
    // It was not the sandbox that ended it.
    expect(await stubborn.log()).not.toContain("ended");
  } finally {
    await stubborn.stop();
  }
});
