/**
 * What the real Daytona answers and how the edge puts it: its errors in the words
 * of the contract, whatever order of the host the client used.
 *
 * @module-tag edge
 */
import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { sealCookie } from "../../scripts/lab/daytona/server/sealed-cookie.ts";
import { labSecrets } from "../../scripts/lab/secrets.ts";
import { DOMAIN, FIRST_SANDBOX, SECOND_SANDBOX, labCurl } from "./lab.ts";
import { addSandbox, removeSandbox } from "./own-sandbox.ts";
import { startListener } from "./sandbox-listener.ts";

const api = "http://198.18.0.3:3000/api/sandbox";

/** Asks Daytona's API; the answer's body. */
async function daytona(path: string, args: string[] = []): Promise<string> {
  const key = `Authorization: Bearer ${labSecrets().daytonaApiKey}`;
  const { stdout } = await labCurl([
    ...["--fail", "-H", key],
    ...args,
    api + path,
  ]);
  return stdout;
}

/** Label of a signed preview link to port 3000. */
async function signedLabel(id: string): Promise<string> {
  const path = `/${id}/ports/3000/signed-preview-url?expiresInSeconds=3600`;
  const { url } = JSON.parse(await daytona(path)) as { url: string };
  return new URL(url).host.split(".", 1)[0] ?? "";
}

/** The cookie that Daytona's login gives for a sandbox or a signed link. */
function daytonaCookie(target: string, id: string): string[] {
  const name = `daytona-sandbox-auth-${target}`;
  const sealed = sealCookie(labSecrets().daytonaProxyApiKey, name, id);
  return ["-H", `Cookie: ${name}=${sealed}`];
}

/** Status and error code of the answer, and all of it. */
async function ask(label: string, path: string, args: string[] = []) {
  const { stdout } = await labCurl([
    ...["-i", "--path-as-is", "-w", "\n%{http_code}", ...args],
    `https://${label}.${DOMAIN}${path}`,
  ]);
  const status = stdout.split("\n").at(-1) ?? "";
  const code = /^x-sandbox-error: (\S+)/m.exec(stdout)?.[1];
  return { status, code, body: stdout };
}

const unreachable = { status: "503", code: "sandbox_unreachable" };
const paths = ["/", "/some/path?x=1", "/a%20b", "/%3Ca%26%22", "/%E2%82%AC+1"];

describe("a sandbox that does not run is unreachable", () => {
  let id: string;
  let signed: string;
  const labels = () => [`${id}-3000`, `3000-${id}`, signed];
  const token = () => signed.replace("3000-", "");
  const isUnreachable = async (args: string[] = []) => {
    for (const label of labels()) {
      for (const path of paths) {
        const got = await ask(label, path, args);
        expect(got, `${label} ${path}`).toMatchObject(unreachable);
      }
    }
  };

  beforeAll(async () => {
    id = await addSandbox();
    signed = await signedLabel(id);
    for (const label of labels()) {
      expect(await ask(label, "/")).toMatchObject({ status: "200" });
    }
  });

  test("while it is stopped: the runner's error names the runner's path", async () => {
    await daytona(`/${id}/stop`, ["-X", "POST"]);
    await isUnreachable();
  });

  test("once its container is gone: the runner's 404", async () => {
    await removeSandbox(id);
    // With it went the link, but not the cookie that it gave.
    await isUnreachable(daytonaCookie(token(), id));
  });

  test("that Daytona does not know: the error of Daytona's proxy names the client's path, decoded", async () => {
    const unknown = randomUUID();
    const cookie = daytonaCookie(unknown, unknown);
    for (const label of [`${unknown}-3000`, `3000-${unknown}`]) {
      for (const path of paths) {
        const got = await ask(label, path, cookie);
        expect(got, `${label} ${path}`).toMatchObject(unreachable);
      }
    }
  });
});

describe("an application's own answer stays its own", () => {
  const said = "no IP address found. Is the Sandbox started?";
  const gone = "not found: sandbox container not found: No such container";
  test.each([
    ["400", "BAD_REQUEST", said, "/answer/x"],
    ["400", "BAD_REQUEST", said, ""],
    [
      "400",
      "BAD_REQUEST",
      said,
      `/sandboxes/${SECOND_SANDBOX}/toolbox/proxy/3000/answer`,
    ],
    [
      "400",
      "BAD_REQUEST",
      said,
      `/sandboxes/${FIRST_SANDBOX}/toolbox/proxy/3001/answer`,
    ],
    [
      "400",
      "BAD_REQUEST",
      "no such user",
      `/sandboxes/${FIRST_SANDBOX}/toolbox/proxy/3000/answer`,
    ],
    ["404", "NOT_FOUND", gone, "/answer"],
    ["404", "BAD_REQUEST", gone, "/answer"],
  ])("%s %s, %s, %s", async (status, code, message, path) => {
    const error = { statusCode: Number(status), code, message, path };
    const query = new URLSearchParams({
      status,
      type: "application/json",
      body: JSON.stringify(error),
      field: "X-Own",
      value: "mine",
    });
    const got = await ask(
      `${FIRST_SANDBOX}-3000`,
      `/answer?${query.toString()}`,
    );
    expect(got).toMatchObject({ status, code: undefined });
    expect(got.body).toContain("x-own: mine");
  });
});

test.each(["--http1.1", "--http2"])(
  "early hints and trailers pass Daytona and the edge: %s",
  async (version) => {
    const listener = await startListener(
      FIRST_SANDBOX,
      "trailers",
      `require("node:http").createServer((request, response) => {
  response.writeEarlyHints({ link: "</x>; rel=preload" });
  // Together with a hint HAProxy 3.0 takes a head for the whole answer.
  setTimeout(() => {
    response.writeHead(200, { Trailer: "X-Told" });
    response.write("body");
    response.addTrailers({ "X-Told": "at the end" });
    setTimeout(() => response.end(), 200);
  }, 1_000);
}).listen(3123, () => console.log("ready"));`,
    );
    try {
      const { body } = await ask(`${FIRST_SANDBOX}-3123`, "/", [version]);
      expect(body).toMatch(/^HTTP\/\S+ 103[^]*HTTP\/\S+ 200/);
      expect(body).toMatch(/body\s*x-told: at the end/i);
    } finally {
      await listener.stop();
    }
  },
);

test("an application's redirect that names Daytona's login is its own", async () => {
  const query = new URLSearchParams({
    status: "307",
    field: "Location",
    value: `https://login.example/?to=https://${DOMAIN}/callback`,
  });
  const path = `/answer?${query.toString()}`;
  const got = await ask(`${FIRST_SANDBOX}-3000`, path);
  expect(got).toMatchObject({ status: "307", code: undefined });
});

describe("an application has one name, by whichever order its client came", () => {
  const came = `https://${FIRST_SANDBOX}-3000.${DOMAIN}`;
  const told = `3000-${FIRST_SANDBOX}.${DOMAIN}`;
  const header = (name: string, value: string) => ["-H", `${name}: ${value}`];

  /** What the application saw. */
  async function seen(args: string[], label = `${FIRST_SANDBOX}-3000`) {
    const { body } = await ask(label, "/headers", args);
    const json = /^\{.*\}$/m.exec(body)?.[0] ?? body;
    return JSON.parse(json) as {
      headers: Record<string, string>;
      rawHeaders: string[];
    };
  }

  test("a page's own Origin and Referer are of the name that it is told", async () => {
    const { headers } = await seen([
      ...header("Origin", came),
      ...header("Referer", `${came}/a?b=${came}/`),
    ]);
    expect(headers).toMatchObject({
      "x-forwarded-host": told,
      origin: `https://${told}`,
      referer: `https://${told}/a?b=${came}/`,
    });
  });

  test.each([
    `https://3000-${FIRST_SANDBOX}.${DOMAIN}`,
    `https://${FIRST_SANDBOX}-3001.${DOMAIN}`,
    `https://${SECOND_SANDBOX}-3000.${DOMAIN}`,
    `https://${DOMAIN}`,
    `${came}.example.org`,
    `${came}:8443`,
    came.replace("https", "http"),
    `x${came}`,
    "https://evil.example",
    "null",
  ])("a foreign one stays what it is: %s", async (foreign) => {
    const { headers } = await seen([
      ...header("Origin", foreign),
      ...header("Referer", `${foreign}/a`),
    ]);
    expect(headers).toMatchObject({
      origin: foreign,
      referer: `${foreign}/a`,
    });
  });

  test("also where another one stands beside the page's own", async () => {
    for (const origins of [
      ["https://evil.example", came],
      [came, "https://evil.example"],
    ]) {
      const args = origins.flatMap((origin) => header("Origin", origin));
      const { rawHeaders } = await seen(["--http1.1", ...args]);
      expect(rawHeaders).not.toContain(`https://${told}`);
    }
  });

  test("by Daytona's own order nothing changes", async () => {
    const own = `https://${told}`;
    const { headers } = await seen(
      header("Origin", own),
      `3000-${FIRST_SANDBOX}`,
    );
    expect(headers).toMatchObject({ "x-forwarded-host": told, origin: own });
    expect(
      await answered("Location", `${own}/x`, [], `3000-${FIRST_SANDBOX}`),
    ).toBe(`${own}/x`);
  });

  /** A field of the application's answer, as it comes to the client. */
  async function answered(
    field: string,
    value: string,
    args: string[] = [],
    label = `${FIRST_SANDBOX}-3000`,
  ) {
    const query = new URLSearchParams({ field, value });
    const { body } = await ask(label, `/answer?${query.toString()}`, args);
    return new RegExp(`^${field}: (.*)\r$`, "im").exec(body)?.[1];
  }

  test.each([
    ["Location", `https://${told}/x?y=https://${told}/`],
    ["Location", `https://${told}`],
    ["Location", `//${told}/x`],
    ["Location", `http://${told}:443/x`],
    ["Content-Location", `https://${told}/x`],
    ["Refresh", `0; url=https://${told}/x`],
    ["Link", `<https://${told}/a>; rel=preload, <https://${told}/b>`],
    ["Content-Security-Policy", `connect-src 'self' wss://${told}; img-src *`],
    ["HX-Redirect", `https://${told}/x`],
  ])("%s: %s comes back by the client's", async (field, value) => {
    const [first = "", ...more] = value.split("?");
    const expected = [
      first.replaceAll(told, came.replace("https://", "")),
      ...more,
    ].join("?");
    expect(expected).not.toBe(value);
    expect(await answered(field, value)).toBe(expected);
  });

  test.each([
    ["Location", "/x"],
    ["Location", `https://${told}.example.org/`],
    ["Location", `https://x${told}/`],
    ["Location", `https://3001-${FIRST_SANDBOX}.${DOMAIN}/`],
    ["Location", `https://3000-${SECOND_SANDBOX}.${DOMAIN}/`],
    ["Location", `https://login.example/?redirect_uri=https://${told}/`],
    ["Location", `https://login.example//${told}/`],
    ["X-Own", `see https:/${told}/`],
  ])("%s: %s is no address of its own", async (field, value) => {
    expect(await answered(field, value)).toBe(value);
  });

  test("an Origin that the application allows is the client's", async () => {
    const field = "Access-Control-Allow-Origin";
    const own = `https://${told}`;
    expect(await answered(field, own, header("Origin", came))).toBe(came);
    // A page of the other name asks: to this host it is a foreign one.
    expect(await answered(field, own, header("Origin", own))).toBe(own);
  });
});
