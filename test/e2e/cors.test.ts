/**
 * Pages of other origins: a preflight reaches the application that alone can
 * answer it, opens nothing else, and errors of the edge's own can be read.
 *
 * @module-tag edge
 */
import { describe, expect, test } from "vitest";
import { trustFile } from "../../scripts/checkout.ts";
import { edgeAddresses } from "../../scripts/lab/machine-addresses.ts";
import { labSecrets } from "../../scripts/lab/secrets.ts";
import {
  DOMAIN,
  FIRST_SANDBOX,
  SECOND_SANDBOX,
  SIGNED_DOMAIN,
  labCurl,
  script,
  signedOutputs,
} from "./lab.ts";
import { addSandbox, removeSandbox } from "./own-sandbox.ts";
import { claims, sign } from "./tokens.ts";

const page = `https://${FIRST_SANDBOX}-8080.${SIGNED_DOMAIN}`;
const app = `https://${FIRST_SANDBOX}-3000.${SIGNED_DOMAIN}`;
const fields = (all: Record<string, string>) =>
  Object.entries(all).flatMap(([name, value]) => ["-H", `${name}: ${value}`]);
const origin = fields({ Origin: page });
const preflight = [
  ...["-X", "OPTIONS", ...origin],
  ...fields({
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "content-type",
  }),
];
// curl forgets its options behind --next.
const trusting = ["-sS", "--cacert", trustFile];
const missing = { status: "401", code: "token_missing" };

/** Status and error code of the answer, and all of it. */
async function ask(url: string, args: string[]) {
  const { stdout } = await labCurl([
    ...["-i", "-w", "\n%{http_code}", ...args],
    url,
  ]);
  const status = stdout.split("\n").at(-1) ?? "";
  const code = /^x-sandbox-error: (\S+)/im.exec(stdout)?.[1];
  return { status, code, body: stdout };
}

describe("a preflight without a token, where access is signed", () => {
  test("reaches the application, with what browsers send in one", async () => {
    const { status, body } = await ask(`${app}/headers`, [
      ...preflight,
      ...fields({
        Cookie: "a=1",
        Authorization: "Basic x",
        "X-HTTP-Method-Override": "DELETE",
        "Sec-Fetch-Mode": "cors",
      }),
    ]);
    expect(status).toBe("200");
    const seen = JSON.parse(/^\{.*\}$/m.exec(body)?.[0] ?? "") as {
      method: string;
      headers: Record<string, string>;
    };
    expect(seen).toMatchObject({
      method: "OPTIONS",
      headers: {
        origin: page,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type",
        "sec-fetch-mode": "cors",
        "x-forwarded-proto": "https",
      },
    });
    expect(Object.keys(seen.headers).join()).not.toMatch(
      /cookie|authorization|override/,
    );
  });

  test.each(["--http1.1", "--http2"])(
    "lets no other request of its connection in: %s",
    async (version) => {
      const each = ["-o", "/dev/null", "-w", "%{http_code} %{num_connects}\n"];
      const { stdout } = await labCurl([
        ...[version, ...each, ...preflight, `${app}/headers`],
        ...["--next", ...trusting, version, ...each, ...origin],
        ...[`${app}/headers`],
        ...["--next", ...trusting, version, ...each, ...preflight],
        ...[`${app}/headers`],
      ]);
      expect(stdout.trim().split("\n")).toEqual(["200 1", "401 0", "200 0"]);
    },
  );

  test.each([
    ["no Origin", preflight.filter((_, at) => at !== 2 && at !== 3)],
    ["no method that is asked for", preflight.slice(0, 4)],
    ["a body", [...preflight, "-d", "x"]],
    // As much of it as came may be whole, or not yet.
    [
      "a body of unknown length",
      [...preflight, "-H", "Content-Length:", "-T", "/etc/hostname"],
    ],
    ["another method", ["-X", "GET", ...preflight.slice(2)]],
    [
      "an upgrade",
      [
        "--http1.1",
        ...preflight,
        ...fields({
          Connection: "upgrade",
          Upgrade: "websocket",
          "Sec-WebSocket-Version": "13",
          "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        }),
      ],
    ],
  ])("is none with %s", async (_, args) => {
    expect(await ask(`${app}/headers`, args)).toMatchObject(missing);
  });

  test("does not reach a port of Daytona's own", async () => {
    const url = `https://${FIRST_SANDBOX}-2280.${SIGNED_DOMAIN}/version`;
    expect(await ask(url, preflight)).toMatchObject({
      status: "403",
      code: "port_denied",
    });
  });

  // The tokens of later are good, and their pages ask first as well.
  test("passes while earlier tokens are revoked", async () => {
    const id = await addSandbox();
    const url = `https://${id}-3000.${SIGNED_DOMAIN}/headers`;
    try {
      const { key } = (await signedOutputs()).access;
      const args = fields({ "X-Sandbox-Token": sign(key, claims(id)) });
      expect(await ask(url, args)).toMatchObject({ status: "200" });
      await script("sandbox.ts", ["revoke", id, "--stack", "signed"]);
      await expect
        .poll(() => ask(url, args))
        .toMatchObject({ status: "403", code: "token_revoked" });
      expect(await ask(url, preflight)).toMatchObject({ status: "200" });
    } finally {
      await script("sandbox.ts", ["restore", id, "--stack", "signed"]);
      await removeSandbox(id);
    }
  });

  test("does not count as the sandbox's", async () => {
    const id = await addSandbox();
    const url = `https://${id}-3000.${SIGNED_DOMAIN}/headers`;
    const counted = async () => {
      const { stdout } = await labCurl([
        `http://${edgeAddresses["edge-signed"].ipv4}:8404/metrics/sandboxes`,
      ]);
      return new RegExp(
        `^daytona_edge_sandbox_requests_total\\{sandbox="${id}"\\} (\\d+)`,
        "m",
      ).exec(stdout)?.[1];
    };
    try {
      for (let sent = 0; sent < 5; sent++) {
        expect(await ask(url, preflight)).toMatchObject({ status: "200" });
      }
      expect(await counted()).toBeUndefined();
      const { key } = (await signedOutputs()).access;
      const token = sign(key, claims(id));
      const args = fields({ "X-Sandbox-Token": token });
      expect(await ask(url, args)).toMatchObject({ status: "200" });
      expect(await counted()).toBe("1");
    } finally {
      await removeSandbox(id);
    }
  });
});

describe("an error of the edge's own", () => {
  const guarded = `https://${SECOND_SANDBOX}-3000.${DOMAIN}/headers`;

  test.each([
    ["signed", `${app}/headers`],
    ["daytona", guarded],
  ])("can be read by a page of any origin: %s", async (_, url) => {
    const { body, ...got } = await ask(url, origin);
    expect(got).toEqual(missing);
    const answer = body.toLowerCase();
    for (const field of [
      `access-control-allow-origin: ${page}`,
      "access-control-allow-credentials: true",
      "access-control-expose-headers: x-sandbox-error, x-request-id, retry-after",
      "vary: origin",
    ]) {
      expect(answer).toContain(`\n${field}\r\n`);
    }
  });

  test("says nothing of it to whoever names no origin", async () => {
    const { body } = await ask(`${app}/headers`, []);
    expect(body.toLowerCase()).not.toMatch(/^(access-control-|vary)/m);
  });

  test("and an application's own is as it was", async () => {
    const url = `https://${FIRST_SANDBOX}-3000.${DOMAIN}/answer?status=403`;
    const { body } = await ask(url, origin);
    expect(body.toLowerCase()).not.toMatch(/^(access-control-|vary)/m);
  });
});

// No credential comes with a preflight, so one has to stand in the address.
describe("a preflight to a private sandbox, where Daytona decides", () => {
  const guarded = `https://${SECOND_SANDBOX}-3000.${DOMAIN}/headers`;

  test("is refused by its host alone", async () => {
    expect(await ask(guarded, preflight)).toMatchObject(missing);
  });

  test("reaches the application by a token in the query", async () => {
    const token = labSecrets().previewToken;
    const url = `${guarded}?DAYTONA_SANDBOX_AUTH_KEY=${token}`;
    const { status, body } = await ask(url, preflight);
    expect(status).toBe("200");
    expect(body).toContain('"method":"OPTIONS"');
  });
});
