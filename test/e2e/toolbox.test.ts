/**
 * Daytona's toolbox through the edge: the SDK's road, only where it is asked for.
 * And what a revocation closes that does not name a sandbox by its host.
 *
 * @module-tag edge
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sealCookie } from "../../scripts/lab/daytona/server/sealed-cookie.ts";
import { labSecrets } from "../../scripts/lab/secrets.ts";
import {
  DOMAIN,
  FIRST_SANDBOX,
  SECOND_SANDBOX,
  labCurl,
  script,
} from "./lab.ts";
import { moveName, nameOf, removeNames } from "./leading-names.ts";
import { bootSpareEdge, removeSpareEdge, spareEdge } from "./spare-edge.ts";
import { holdStreams } from "./streams.ts";

beforeAll(async () => {
  // Leads to nobody at first.
  const name = await nameOf("203.0.113.12");
  await bootSpareEdge("local", {
    toolbox: true,
    upstream: { mode: "daytona", url: `http://${name}:4000` },
  });
});

afterAll(async () => {
  await removeSpareEdge();
  await removeNames();
});

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

test("Daytona's proxy moves, and the edge goes along", async () => {
  expect(await execute(path, "")).toMatchObject({ status: "503" });
  await moveName("198.18.0.3");
  await expect
    .poll(async () => (await execute(path, "")).status, { timeout: 300_000 })
    .toBe("401");
});

test("a command runs with Daytona's key, and without it Daytona refuses", async () => {
  const { status, body } = await execute(path, labSecrets().daytonaApiKey);
  expect(status).toBe("200");
  expect(JSON.parse(body)).toMatchObject({ result: "from the toolbox\n" });
  expect(await execute(path)).toMatchObject({ status: "401" });
});

describe("Daytona's SDK", () => {
  const origin = "https://app.example";
  const asked = async (args: string[], place: string) => {
    const { stdout } = await labCurl([
      ...["--resolve", `${DOMAIN}:443:${spareEdge.ipv4}`, "-i", ...args],
      `https://${DOMAIN}${place}`,
    ]);
    return stdout.toLowerCase();
  };

  test("says of itself what it says to Daytona, and no more", async () => {
    const names = ["SDK-Version", "Source", "Split-Output", "Organization-ID"];
    const others = ["Skip-Last-Activity-Update", "Disable-CORS", "Sourced"];
    const told = [...names, ...others].map((name) => `X-Daytona-${name}: true`);
    const key = `Authorization: Bearer ${labSecrets().daytonaApiKey}`;
    const args = [key, ...told, "X_Daytona_Source: true"];
    const app = await asked(
      args.flatMap((field) => ["-H", field]),
      `/toolbox/${FIRST_SANDBOX}/proxy/3000/headers`,
    );
    for (const name of names) {
      expect(app).toContain(`"x-daytona-${name.toLowerCase()}":"true"`);
    }
    expect(app).not.toMatch(/last-activity|sourced|x_daytona/);
  });

  test("says nothing of itself to an application by its own host", async () => {
    const host = `${FIRST_SANDBOX}-3000.${DOMAIN}`;
    const { stdout } = await labCurl([
      ...["--resolve", `${host}:443:${spareEdge.ipv4}`],
      ...["-H", "X-Daytona-Source: sdk", `https://${host}/headers`],
    ]);
    expect(stdout).toContain("x-forwarded-host");
    expect(stdout).not.toContain("x-daytona-source");
  });

  test("in a browser gets Daytona's own answer to a preflight", async () => {
    const answer = await asked(
      [
        ...["-X", "OPTIONS", "-H", `Origin: ${origin}`],
        ...["-H", "Access-Control-Request-Method: POST"],
        ...["-H", "Access-Control-Request-Headers: authorization"],
      ],
      path,
    );
    expect(answer).toMatch(/^http\/2 204/);
    expect(answer).toContain(`access-control-allow-origin: ${origin}`);
    expect(answer).toContain("access-control-allow-headers: authorization");
  });

  test("but no page gets there by the cookie of Daytona's login", async () => {
    const name = `daytona-sandbox-auth-${FIRST_SANDBOX}`;
    const key = labSecrets().daytonaProxyApiKey;
    const cookie = `${name}=${sealCookie(key, name, FIRST_SANDBOX)}`;
    const command = ["-H", `Cookie: ${cookie}`, "-d", '{"command":"true"}'];
    expect(await asked(command, path)).toMatch(/^http\/2 200/);
    for (const from of [origin, `https://${SECOND_SANDBOX}-3000.${DOMAIN}`]) {
      const args = [...command, "-H", `Origin: ${from}`];
      expect(await asked(args, path)).toMatch(/^http\/2 401/);
    }
  });
});

test.each([
  "/",
  "/api/sandbox",
  "/toolbox",
  "/x/../toolbox/",
  "//toolbox/x",
  // Not by the token of a signed preview host, nor by another spelling.
  "/toolbox/0123456789abcdef/process/execute",
  `/toolbox/${FIRST_SANDBOX.toUpperCase()}/process/execute`,
  `/toolbox/%38${FIRST_SANDBOX.slice(1)}/process/execute`,
  `/toolbox/${FIRST_SANDBOX}/../${SECOND_SANDBOX}/process/execute`,
  `/toolbox/${FIRST_SANDBOX}/%2e%2e/${SECOND_SANDBOX}/process/execute`,
])("nothing else of Daytona is there: %s", async (other) => {
  const { status, body } = await execute(other, labSecrets().daytonaApiKey);
  expect(status).toBe("404");
  expect(body).toContain('"unknown_host"');
});

describe("while access to a sandbox is revoked", () => {
  const sandbox = (...args: string[]) =>
    script("sandbox.ts", [...args, "--stack", "local"]);
  const key = () => labSecrets().daytonaApiKey;
  const other = `/toolbox/${SECOND_SANDBOX}/process/execute`;

  /** The host of Daytona's signed preview link. */
  async function signedHost(id: string, port: number): Promise<string> {
    const { stdout } = await labCurl([
      ...["-H", `Authorization: Bearer ${key()}`],
      `http://198.18.0.3:3000/api/sandbox/${id}/ports/${String(port)}/signed-preview-url?expiresInSeconds=3600`,
    ]);
    return new URL((JSON.parse(stdout) as { url: string }).url).host;
  }

  const statusOf = async (host: string) => {
    const { stdout } = await labCurl([
      ...["--resolve", `${host}:443:${spareEdge.ipv4}`, "-o", "/dev/null"],
      ...["-w", "%{http_code} %header{x-sandbox-error}", `https://${host}/`],
    ]);
    return stdout.trim();
  };
  const refused = "403 token_revoked";

  /** This edge follows the store on its own. */
  const restore = async (): Promise<void> => {
    await sandbox("restore", SECOND_SANDBOX);
    await expect
      .poll(() => execute(other, key()))
      .toMatchObject({ status: "200" });
  };

  test("its toolbox is closed, and its streams are cut, by whichever road they came", async () => {
    const links = await Promise.all([
      signedHost(SECOND_SANDBOX, 3000),
      signedHost(FIRST_SANDBOX, 3000),
    ]);
    for (const link of links) expect(await statusOf(link)).toBe("200");
    const signed = await holdStreams(
      2,
      `wss://${links[0]}/ws`,
      [],
      spareEdge.ipv4,
    );
    const byToolbox = await holdStreams(
      2,
      `wss://${DOMAIN}/toolbox/${SECOND_SANDBOX}/proxy/3000/ws`,
      [`Authorization:Bearer ${key()}`],
      spareEdge.ipv4,
    );
    const theirs = await holdStreams(
      2,
      `wss://${FIRST_SANDBOX}-3000.${DOMAIN}/ws`,
      [],
      spareEdge.ipv4,
    );
    try {
      const { stdout } = await sandbox("revoke", SECOND_SANDBOX);
      expect(stdout).toContain("every signed preview link");
      await expect.poll(() => statusOf(links[0])).toBe(refused);
      await expect.poll(signed.cut).toBe(2);
      await expect.poll(byToolbox.cut).toBe(2);
      expect(await execute(other, key())).toMatchObject({ status: "403" });
      // Nobody here knows whose link it is.
      expect(await statusOf(links[1])).toBe(refused);
      expect(await execute(path, key())).toMatchObject({ status: "200" });
    } finally {
      await restore();
    }
    expect(await theirs.end()).toMatchObject({ opened: 2, cut: 0 });
    await signed.end();
    await byToolbox.end();
    for (const link of links) expect(await statusOf(link)).toBe("200");
  });

  test("and to one port, signed links to other ports are not", async () => {
    const mine = await signedHost(SECOND_SANDBOX, 8080);
    const others = await signedHost(SECOND_SANDBOX, 3000);
    try {
      await sandbox("revoke", SECOND_SANDBOX, "--port", "8080");
      await expect.poll(() => statusOf(mine)).toBe(refused);
      expect(await statusOf(others)).toBe("200");
      // Its programs reach every port.
      expect(await execute(other, key())).toMatchObject({ status: "403" });
    } finally {
      await restore();
    }
    expect(await statusOf(mine)).toBe("200");
  });
});
