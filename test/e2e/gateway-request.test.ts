/**
 * Requests to an inspected host, each refused for the reason that is meant.
 *
 * @module-tag gateway
 */
import { expect, test } from "vitest";
import { runInSandbox } from "./gateway-sandbox-program.ts";
import { FIRST_SANDBOX, sandboxExec } from "./lab.ts";

const models = "https://openrouter.ai/api/v1/models";
const webSocket =
  "-H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='";
const http2Upgrade =
  "-H 'Connection: Upgrade, HTTP2-Settings' -H 'Upgrade: h2c' -H 'HTTP2-Settings: AAMAAABkAAQAAP__'";

test.each([
  ["TRACE", "method", `-X TRACE ${models}`],
  ["TRACE over HTTP/1.1", "method", `--http1.1 -X TRACE ${models}`],
  ["a method in lower case", "method", `--http1.1 -X get ${models}`],
  ["a WebSocket", "upgrade", `--http1.1 ${webSocket} ${models}`],
  ["h2c", "upgrade", `--http1.1 ${http2Upgrade} ${models}`],
  [
    "h2c alone",
    "upgrade",
    `--http1.1 -H 'Connection: Upgrade' -H 'Upgrade: h2c' ${models}`,
  ],
  [
    "HTTP2-Settings alone",
    "upgrade",
    `-H 'HTTP2-Settings: AAMAAABkAAQAAP__' ${models}`,
  ],
  [
    "Upgrade without Connection",
    "upgrade",
    `--http1.1 -H 'Upgrade: telnet' ${models}`,
  ],
  ["another Host", "host_mismatch", `-H 'Host: example.org' ${models}`],
  ["another port", "host_mismatch", `-H 'Host: openrouter.ai:8443' ${models}`],
  ["no Host", "host_mismatch", `--http1.0 -H 'Host:' ${models}`],
  [
    "its own absolute form",
    "path_not_canonical",
    `--http1.1 --request-target ${models} ${models}`,
  ],
  [
    "an encoded slash",
    "path_not_canonical",
    "--path-as-is https://openrouter.ai/api/v1/..%2f..%2fx",
  ],
  [
    "a parameter in a segment",
    "path_not_canonical",
    "--path-as-is 'https://openrouter.ai/api/v1/..;/x'",
  ],
  ...["?q=100%", "?q=%zz", "?q=%4", "/100%"].flatMap((end) =>
    ["--http1.1", "--http2"].map((version) => [
      `a percent sign that encodes nothing, ${end}, ${version}`,
      "path_not_canonical",
      `${version} '${models}${end}'`,
    ]),
  ),
  ["another path", "path_not_allowed", "https://openrouter.ai/api/v2/models"],
  [
    "dot segments",
    "path_not_allowed",
    "--path-as-is https://openrouter.ai/api/v1/../v2/models",
  ],
  [
    "encoded dot segments",
    "path_not_allowed",
    "--path-as-is https://openrouter.ai/api/v1/%2e%2E/v2/models",
  ],
  ["plain HTTP", "plain_http", "http://openrouter.ai/api/v1/models"],
  [
    "plain HTTP as by a proxy",
    "plain_http",
    "-x http://169.254.20.1:80 http://example.org/",
  ],
])("%s: %s", async (_, reason, args) => {
  const { result } = await sandboxExec(
    FIRST_SANDBOX,
    `curl -sS --max-time 60 ${args}`,
  );
  expect(JSON.parse(result)).toMatchObject({
    error: {
      code: "egress_denied",
      message: expect.stringContaining(`(${reason})`) as string,
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    },
  });
});

test("each HTTP/2 stream is for the name of the connection", async () => {
  const statuses = await runInSandbox<number[]>(
    "gateway-streams.ts",
    "openrouter.ai",
    "example.org",
    "api.github.com",
    "openrouter.ai:8443",
    "openrouter.ai.",
    "openrouter.ai",
  );
  expect(statuses).toEqual([200, 403, 403, 403, 403, 200]);
});

// The host speaks HTTP/2: README says what else there is.
test.each([
  ["--http1.1", "18"],
  ["--http2", "92"],
])(
  "an answer that breaks off is an error, at once: %s",
  async (version, error) => {
    const url = "https://openrouter.ai/api/v1/broken-off";
    const { result } = await sandboxExec(
      FIRST_SANDBOX,
      `timeout 10 curl -sS ${version} -o /dev/null ${url} 2>/dev/null; echo $?`,
    );
    expect(result.trim()).toBe(error);
  },
);
