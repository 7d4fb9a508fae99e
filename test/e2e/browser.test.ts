/**
 * The edge in a real browser: its error pages, and links with a token.
 *
 * @module-tag edge
 */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  DOMAIN,
  FIRST_SANDBOX,
  SIGNED_DOMAIN,
  inLab,
  signedOutputs,
} from "./lab.ts";
import { startListener } from "./sandbox-listener.ts";
import { claims, sign } from "./tokens.ts";

async function browse(scenario: string, ...urls: string[]): Promise<unknown> {
  const { stdout, stderr } = await inLab([
    process.execPath,
    join(import.meta.dirname, "fixtures/browser.ts"),
    scenario,
    ...urls,
  ]);
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout) as unknown;
}

interface ErrorPage {
  status: number;
  title: string;
  text: string;
  background: string;
  overflows: boolean;
  asked: string[];
  violations: string[];
}

describe("the page of an error", () => {
  const url = `https://${FIRST_SANDBOX}-2280.${DOMAIN}/`;
  let pages: ErrorPage[];
  beforeAll(async () => {
    pages = (await browse("error", url)) as ErrorPage[];
  });

  test("says what happened, for whom, its request, and what to do", () => {
    for (const page of pages) {
      expect(page.status).toBe(403);
      expect(page.title).toBe("This port is closed");
      expect(page.text).toMatch(/port_denied\s+This port is closed/);
      expect(page.text).toContain("Let the application listen on another port");
      expect(page.text).toMatch(
        new RegExp(`Sandbox\\s+${FIRST_SANDBOX}\\s+Port\\s+2280`),
      );
      expect(page.text).toMatch(/Request\s+[0-9a-f-]{36}/);
    }
  });

  test("is accessible in light, in dark and on a small screen", () => {
    expect(pages.map(({ violations }) => violations)).toEqual([[], [], []]);
    expect(pages.map(({ overflows }) => overflows)).toEqual(
      pages.map(() => false),
    );
    const [light, dark] = pages.map(({ background }) => background);
    expect(light).not.toBe(dark);
  });

  test("loads nothing else", () => {
    for (const { asked } of pages) expect(asked).toEqual([url]);
  });

  test("is never what a script, an image or a fetch gets", async () => {
    const refused = `https://${FIRST_SANDBOX}-3000.${DOMAIN}/.well-known/acme-challenge/x`;
    expect(await browse("resources", refused)).toMatchObject({
      fetch: "application/json",
      script: "application/json",
      image: "application/json",
    });
  });
});

interface Inside {
  inside: {
    address: string;
    referrer: string;
    document: string;
    seen: { headers: Record<string, string> };
    echo: string;
    cookie: string;
  };
  cookies: {
    name: string;
    value: string;
    domain: string;
    httpOnly: boolean;
    secure: boolean;
    sameSite: string;
    expires: number;
    partitionKey?: string;
  }[];
}

describe("a link with a token", () => {
  const host = `${FIRST_SANDBOX}-3000.${SIGNED_DOMAIN}`;
  const link = async () => {
    const { key } = (await signedOutputs()).access;
    const payload = claims(FIRST_SANDBOX);
    const token = sign(key, payload);
    const url = `https://${host}/headers?a=1&__sandbox_token=${token}&b=2`;
    return { token, url, exp: payload.exp };
  };

  test.each(["signed", "frame"])(
    "opens the application, which never sees it: %s",
    async (scenario) => {
      const { token, url, exp } = await link();
      const { inside, cookies } = (await browse(scenario, url)) as Inside;
      expect(inside.address).toBe(`https://${host}/headers?a=1&b=2`);
      expect(inside.echo).toBe("echo");
      const cookie = cookies.find(({ name }) => name === "__Host-sandbox");
      expect(cookie).toMatchObject({
        value: token,
        domain: host,
        httpOnly: true,
        secure: true,
        sameSite: "None",
      });
      // As long as the token, counted from when the browser was told so.
      expect(cookie?.expires).toBeGreaterThan(exp - 2);
      expect(cookie?.expires).toBeLessThan(exp + 300);
      // In a frame it belongs to the site around it, and to no other.
      expect(cookie?.partitionKey).toMatch(
        scenario === "frame" ? /lumilink\.example/ : /defikit\.net/,
      );
      const { document, referrer, seen } = inside;
      const all = JSON.stringify([document, referrer, seen, inside.cookie]);
      expect(all).not.toContain(token.slice(-20));
      expect(all).not.toContain("__sandbox_token");
    },
  );
});

// As Next.js does for its Server Actions, and code-server for its WebSockets.
describe("an application that compares Origin with its own name", () => {
  const port = "3121";
  let listener: { stop: () => Promise<void> };
  beforeAll(async () => {
    listener = await startListener(
      FIRST_SANDBOX,
      "own-name",
      `const { createHash } = require("node:crypto");
const server = require("node:http").createServer((request, response) => {
  const own = request.headers["x-forwarded-host"];
  const isOwn = request.headers.origin === "https://" + own;
  if (request.url === "/absolute") response.writeHead(302, { Location: "https://" + own + "/landed" });
  else if (request.url === "/action") response.writeHead(isOwn ? 200 : 500);
  else response.setHeader("Content-Type", "text/html");
  response.end();
});
server.on("upgrade", ({ headers }, socket) => {
  if (headers.origin !== "https://" + headers["x-forwarded-host"]) {
    socket.end("HTTP/1.1 403 Forbidden\\r\\nContent-Length: 0\\r\\n\\r\\n");
    return;
  }
  const key = headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  const accept = createHash("sha1").update(key).digest("base64");
  socket.write("HTTP/1.1 101 Switching Protocols\\r\\nConnection: upgrade\\r\\nUpgrade: websocket\\r\\nSec-WebSocket-Accept: " + accept + "\\r\\n\\r\\n");
});
server.listen(${port}, () => console.log("ready"));`,
    );
  });
  afterAll(() => listener.stop());

  test.each([`${FIRST_SANDBOX}-${port}`, `${port}-${FIRST_SANDBOX}`])(
    "works by either order of its host: %s",
    async (label) => {
      const url = `https://${label}.${DOMAIN}`;
      expect(await browse("own", `${url}/`)).toEqual({
        action: 200,
        redirect: `${url}/landed`,
        socket: "open",
      });
    },
  );
});

describe("a page that calls another port of its sandbox", () => {
  let listener: { stop: () => Promise<void> };
  beforeAll(async () => {
    listener = await startListener(
      FIRST_SANDBOX,
      "cors",
      `const answer = (request, response) => {
  response.setHeader("Access-Control-Allow-Origin", request.headers.origin ?? "");
  response.setHeader("Access-Control-Allow-Credentials", "true");
  response.setHeader("Access-Control-Allow-Headers", "content-type");
  response.end(request.method);
};
const { createServer } = require("node:http");
createServer(answer).listen(3122, () => createServer(answer).listen(3124, () => console.log("ready")));`,
    );
  });
  afterAll(() => listener.stop());

  test("gets its answer, and reads why the edge refuses where it has no token", async () => {
    const { key } = (await signedOutputs()).access;
    const token = sign(key, claims(FIRST_SANDBOX, "*"));
    const link = (port: number) =>
      `https://${FIRST_SANDBOX}-${String(port)}.${SIGNED_DOMAIN}/`;
    const opened = (port: number) => `${link(port)}?__sandbox_token=${token}`;
    // The third was never opened, so the browser has no token for it.
    const got = await browse("cors", opened(3000), opened(3122), link(3124));
    expect(got).toMatchObject([
      { status: 200, error: null, text: "POST" },
      { status: 401, error: "token_missing" },
    ]);
  });
});
