/**
 * What takes long: large bodies, and five minutes of silence on every road in.
 *
 * @module-tag edge
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { DOMAIN, FIRST_SANDBOX, inLab, labCurl } from "./lab.ts";

const app = `https://${FIRST_SANDBOX}-3000.${DOMAIN}`;
const silence = 300;
const gigabyte = 1_000_000_000;
// A gigabyte takes minutes where other suites run beside this one.
const limit = (silence + 1_500) * 1000;

describe.concurrent("for five minutes", { timeout: limit }, () => {
  test("a request that is silent is answered at its end", async () => {
    const { stdout } = await labCurl([
      "-w",
      "\n%{http_code} %{time_total}",
      `${app}/silent?seconds=${String(silence)}`,
    ]);
    const [status, seconds] = stdout.split("\n").at(-1)?.split(" ") ?? [];
    expect(status).toBe("200");
    expect(Number(seconds)).toBeGreaterThanOrEqual(silence);
  });

  test("an event stream that is silent delivers its next event", async () => {
    const { stdout } = await labCurl([
      "-N",
      `${app}/sse?interval=${String(silence * 1000)}&count=2`,
    ]);
    expect(stdout.match(/^data:/gm)).toHaveLength(2);
  });

  test("a WebSocket stays up", async () => {
    const { stdout, stderr } = await inLab([
      process.execPath,
      join(import.meta.dirname, "fixtures/websocket.ts"),
      `${app.replace("https", "wss")}/ws`,
      String(silence),
    ]);
    expect(stdout + stderr).toBe("echoed twice");
  });

  test("meanwhile 1 GB goes up, and arrives as it was sent", async () => {
    const { stdout } = await inLab([
      "sh",
      "-c",
      `head -c ${String(gigabyte)} /dev/zero | curl -sS --cacert "$NODE_EXTRA_CA_CERTS" -T - ${app}/upload`,
    ]);
    const zeros = createHash("sha256");
    const piece = Buffer.alloc(1_000_000);
    for (let sent = 0; sent < gigabyte; sent += piece.length) {
      zeros.update(piece);
    }
    expect(stdout).toContain(zeros.digest("hex"));
    expect(stdout).toContain(String(gigabyte));
  });

  test("and 1 GB comes down", async () => {
    const { stdout } = await labCurl([
      "-o",
      "/dev/null",
      "-w",
      "%{http_code} %{size_download}",
      `${app}/download?bytes=${String(gigabyte)}`,
    ]);
    expect(stdout).toBe(`200 ${String(gigabyte)}`);
  });
});
