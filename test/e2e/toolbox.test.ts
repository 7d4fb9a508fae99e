/**
 * Daytona's toolbox through the edge: the SDK's road, only where it is asked for.
 *
 * @module-tag edge
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { labSecrets } from "../../scripts/lab/secrets.ts";
import { DOMAIN, FIRST_SANDBOX, labCurl } from "./lab.ts";
import { bootSpareEdge, removeSpareEdge, spareEdge } from "./spare-edge.ts";

beforeAll(async () => {
  await bootSpareEdge("local", { toolbox: true });
});

afterAll(removeSpareEdge);

/** Runs a command through the edge; the answer's status and body. */
async function execute(path: string, apiKey?: string) {
  const { stdout } = await labCurl([
    ...["--resolve", `${DOMAIN}:443:${spareEdge.ipv4}`, "-w", "\n%{http_code}"],
    ...["--path-as-is", "-H", "Content-Type: application/json"],
    ...(apiKey === undefined ? [] : ["-H", `Authorization: Bearer ${apiKey}`]),
    ...["-d", JSON.stringify({ command: "echo from the toolbox" })],
    `https://${DOMAIN}${path}`,
  ]);
  const mark = stdout.lastIndexOf("\n");
  return { status: stdout.slice(mark + 1), body: stdout.slice(0, mark) };
}
const path = `/toolbox/${FIRST_SANDBOX}/process/execute`;

test("a command runs with Daytona's key, and without it Daytona refuses", async () => {
  const { status, body } = await execute(path, labSecrets().daytonaApiKey);
  expect(status).toBe("200");
  expect(JSON.parse(body)).toMatchObject({ result: "from the toolbox\n" });
  expect(await execute(path)).toMatchObject({ status: "401" });
});

test.each(["/", "/api/sandbox", "/toolbox", "/x/../toolbox/", "//toolbox/x"])(
  "nothing else of Daytona is there: %s",
  async (other) => {
    const { status, body } = await execute(other, labSecrets().daytonaApiKey);
    expect(status).toBe("404");
    expect(body).toContain('"unknown_host"');
  },
);
