/**
 * Signed tokens in front of Daytona's proxy: both have to let a request in.
 *
 * @module-tag edge
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sealCookie } from "../../scripts/lab/daytona/server/sealed-cookie.ts";
import { labSecrets } from "../../scripts/lab/secrets.ts";
import {
  FIRST_SANDBOX,
  SECOND_SANDBOX,
  SIGNED_DOMAIN,
  labCurl,
  signedOutputs,
} from "./lab.ts";
import { bootSpareEdge, removeSpareEdge, spareEdge } from "./spare-edge.ts";
import { type Key, claims, sign } from "./tokens.ts";

let key: Key;
beforeAll(async () => {
  key = (await signedOutputs()).access.key;
  await bootSpareEdge("signed", {
    access: "signed",
    upstream: { mode: "daytona", url: "http://198.18.0.3:4000" },
    toolbox: true,
  });
});

afterAll(removeSpareEdge);

async function ask(url: string, args: string[] = []) {
  const { stdout } = await labCurl([
    ...["--resolve", `*:443:${spareEdge.ipv4}`],
    ...["--resolve", `${SIGNED_DOMAIN}:443:${spareEdge.ipv4}`],
    ...["-w", "\n%{http_code}", ...args, url],
  ]);
  const status = stdout.split("\n").at(-1) ?? "";
  const code = /"code":"([a-z_]+)","message"/.exec(stdout)?.[1];
  return { status, code, body: stdout };
}
const app = (id: string) => `https://${id}-3000.${SIGNED_DOMAIN}`;
const token = (id: string) => [
  ...["-H", `X-Sandbox-Token: ${sign(key, claims(id))}`],
];

describe("a sandbox", () => {
  test("that is public in Daytona opens to a token, and to nothing else", async () => {
    const opened = await ask(`${app(FIRST_SANDBOX)}/headers`, [
      ...token(FIRST_SANDBOX),
    ]);
    expect(opened.status).toBe("200");
    expect(await ask(app(FIRST_SANDBOX))).toMatchObject({
      status: "401",
      code: "token_missing",
    });
  });

  test("that Daytona keeps private is unreachable: no login helps there", async () => {
    const unreachable = { status: "503", code: "sandbox_unreachable" };
    const url = app(SECOND_SANDBOX);
    const args = token(SECOND_SANDBOX);
    expect(await ask(url, args)).toMatchObject(unreachable);
    const preview = `X-Daytona-Preview-Token: ${labSecrets().previewToken}`;
    expect(await ask(url, [...args, "-H", preview])).toMatchObject(unreachable);
  });

  test("may send its client elsewhere itself", async () => {
    const to = "https://login.example/callback";
    const url = `${app(FIRST_SANDBOX)}/redirect?status=307&to=${to}`;
    const { status, body } = await ask(url, ["-i", ...token(FIRST_SANDBOX)]);
    expect(status).toBe("307");
    expect(body).toContain(`location: ${to}`);
  });
});

describe("the toolbox", () => {
  const path = `https://${SIGNED_DOMAIN}/toolbox/${FIRST_SANDBOX}/process/execute`;
  const command = [
    ...["-H", "Content-Type: application/json"],
    ...["-d", JSON.stringify({ command: "echo from the toolbox" })],
  ];
  const done = { status: "200" };

  test("asks for Daytona's key alone", async () => {
    const { daytonaApiKey } = labSecrets();
    const authorization = ["-H", `Authorization: Bearer ${daytonaApiKey}`];
    expect(await ask(path, [...command, ...authorization])).toMatchObject(done);
    expect(await ask(path)).toMatchObject({ status: "401" });
  });

  test("gets the cookie of Daytona's login, among those of others", async () => {
    const sealed = sealCookie(
      labSecrets().daytonaProxyApiKey,
      `daytona-sandbox-auth-${FIRST_SANDBOX}`,
      FIRST_SANDBOX,
    );
    const cookie = `a=1; daytona-sandbox-auth-${FIRST_SANDBOX}=${sealed}; daytona-sandbox-auth-${SECOND_SANDBOX}=x`;
    const args = [...command, "-H", `Cookie: ${cookie}`];
    expect(await ask(path, args)).toMatchObject(done);
  });

  test("takes no token of a sandbox, and gives none", async () => {
    const { status, body } = await ask(`${path}?__sandbox_token=x`, [
      ...["-i", "-H", "Sec-Fetch-Mode: navigate"],
      ...["-H", "Sec-Fetch-Dest: document"],
    ]);
    expect(status).toBe("401");
    expect(body).not.toContain("set-cookie");
  });
});
