import { randomUUID } from "node:crypto";
import { once } from "node:events";
import {
  type IncomingMessage,
  type RequestListener,
  type RequestOptions,
  createServer,
  request,
} from "node:http";
import {
  type AddressInfo,
  type Socket,
  connect,
  createServer as createTcpServer,
} from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import {
  afterAll,
  beforeAll,
  describe,
  expect,
  it,
  onTestFinished,
} from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { patternBytes } from "../../../scripts/lab/daytona/app/pattern.ts";
import { sealCookie } from "../../../scripts/lab/daytona/server/sealed-cookie.ts";
import {
  type TestLab,
  apiKey,
  domain,
  previewToken,
  privateId,
  publicId,
  startLab,
} from "./lab.ts";

let lab: TestLab;
beforeAll(async () => {
  lab = await startLab();
});
afterAll(() => {
  lab.close();
});

async function send(
  label: string | undefined,
  path: string,
  options: RequestOptions & { body?: Iterable<Buffer> } = {},
): Promise<IncomingMessage> {
  const { body = [], headers, ...rest } = options;
  const host = label === undefined ? domain : `${label}.${domain}`;
  const sent = request({
    port: lab.proxy,
    path,
    ...rest,
    headers: { Host: host, ...headers },
  });
  for (const chunk of body) {
    if (!sent.write(chunk)) await once(sent, "drain");
  }
  sent.end();
  const [answer] = (await once(sent, "response")) as [IncomingMessage];
  return answer;
}

async function json(answer: IncomingMessage): Promise<Record<string, unknown>> {
  return JSON.parse(await text(answer)) as Record<string, unknown>;
}

/** What the app saw of a request. */
async function seen(answer: IncomingMessage) {
  expect(answer.statusCode).toBe(200);
  return (await json(answer)) as {
    method: string;
    url: string;
    headers: Record<string, string>;
  };
}

const open = () => `${String(lab.app)}-${publicId}`;
const shut = () => `${String(lab.app)}-${privateId}`;

describe("what the app sees", () => {
  it("is its own host, and every hop in the forwarded headers", async () => {
    const headers = {
      "X-Forwarded-For": "192.0.2.1",
      "X-Forwarded-Host": "public.example",
    };
    const { headers: got } = await seen(
      await send(open(), "/headers", { headers }),
    );
    expect(got.host).toBe(`localhost:${String(lab.app)}`);
    expect(got["x-forwarded-for"]).toMatch(/^192\.0\.2\.1, \S+, \S+$/);
    // Appended, not replaced: daytonaio/daytona#4846.
    expect(got["x-forwarded-host"]).toBe(`public.example, ${open()}.${domain}`);
    expect(got["x-forwarded-proto"]).toBeUndefined();
    expect(Object.keys(got).join()).not.toContain("x-daytona");
  });

  it.each([
    "/headers?a=1?b=2&c=%2F%2e",
    "/headers?",
    "/headers?x=/../%2e%2e//",
  ])("is the path as it was sent: %s", async (path) => {
    const { url } = await seen(await send(open(), path));
    expect(url).toBe(path.replace(/\?$/, ""));
  });

  it.each([
    "/%2e%2e/process/execute",
    "/a/../../process/execute",
    "//x",
    "/a%2Fb",
  ])("is a path that nobody resolved: %s", async (path) => {
    expect(await json(await send(open(), path))).toEqual({ notFound: path });
  });

  it("is the host of an absolute request target, as in Go", async () => {
    const answer = await send(shut(), `http://${open()}.${domain}/headers`);
    const { headers, url } = await seen(answer);
    expect(url).toBe("/headers");
    expect(headers["x-forwarded-host"]).toBe(`${open()}.${domain}`);
  });
});

describe("access", () => {
  it("sends whoever shows nothing to the login", async () => {
    const answer = await send(shut(), "/headers?x=1");
    expect(answer.statusCode).toBe(307);
    const location = new URL(answer.headers.location ?? "");
    expect(location.origin).toBe("http://login.example.test");
    expect(location.searchParams.get("code_challenge_method")).toBe("S256");
    expect(location.searchParams.get("redirect_uri")).toBe(
      `https://${domain}/callback`,
    );
    expect(answer.headers["set-cookie"]?.[0]).toMatch(/^pkce_verifier=.+300/);
    answer.resume();
  });

  it("takes the credential that opened the way off the request", async () => {
    const byHeader = await seen(
      await send(shut(), "/headers", {
        headers: {
          "X-Daytona-Preview-Token": previewToken,
          Authorization: "Bearer the-app's-own",
        },
      }),
    );
    expect(byHeader.headers["x-daytona-preview-token"]).toBeUndefined();
    expect(byHeader.headers.authorization).toBe("Bearer the-app's-own");

    const byKey = await seen(
      await send(shut(), "/headers", {
        headers: { Authorization: `Bearer ${apiKey}` },
      }),
    );
    expect(byKey.headers.authorization).toBeUndefined();

    const query = `/headers?z=1&DAYTONA_SANDBOX_AUTH_KEY=${previewToken}&a=2`;
    expect((await seen(await send(shut(), query))).url).toBe(
      "/headers?a=2&z=1",
    );
  });

  it("guards the toolbox, but not its other spellings (#5147)", async () => {
    const guarded = await send(`2280-${publicId}`, "/version");
    expect(guarded.statusCode).toBe(307);
    guarded.resume();
    const spelled = `0${String(lab.toolbox)}-${publicId}`;
    expect(await json(await send(spelled, "/version"))).toEqual({
      version: "v0.190.0",
    });
  });

  it("opens a signed address, whose cookie then opens every port", async () => {
    const record = lab.sandboxes.find(privateId);
    if (!record) throw new Error("no private sandbox");
    const token = lab.sandboxes.signPreview(record, lab.app, 60);
    expect(token).toMatch(/^[0-9a-z]{16}$/);
    const answer = await send(`${String(lab.app)}-${token}`, "/cookie");
    expect(answer.statusCode).toBe(200);
    const [own, ...ofApp] = answer.headers["set-cookie"] ?? [];
    expect(own).toContain(`; Domain=.${domain}; Max-Age=3600`);
    expect(ofApp).toHaveLength(2);
    answer.resume();

    const toolbox = `${String(lab.toolbox)}-${token}`;
    const refused = await send(toolbox, "/version");
    expect(refused.statusCode).toBe(307);
    refused.resume();
    const cookie = own?.split(";")[0] ?? "";
    const opened = await send(toolbox, "/version", { headers: { cookie } });
    expect(opened.statusCode).toBe(200);
    opened.resume();

    lab.sandboxes.expirePreview(record, lab.app, token);
    const expired = await send(`${String(lab.app)}-${token}`, "/");
    expect(expired.statusCode).toBe(307);
    expired.resume();
  });

  it("has the runner refuse a runner key that the client made up", async () => {
    const headers = { "X-Daytona-Authorization": "Bearer guess" };
    const answer = await send(open(), "/", { headers });
    expect(answer.statusCode).toBe(401);
    answer.resume();
  });
});

describe("errors", () => {
  it("are 400 in JSON for a sandbox that does not run", async () => {
    const record = await lab.sandboxes.create({ public: true });
    const label = `${String(lab.app)}-${record.id}`;
    expect((await seen(await send(label, "/headers"))).method).toBe("GET");
    await lab.sandboxes.stop(record);
    const stopped = await send(label, "/some/a%20path?x=1");
    expect(stopped.statusCode).toBe(400);
    // The runner's error names the path that the runner was asked for.
    expect(await json(stopped)).toEqual({
      statusCode: 400,
      message:
        "bad request: failed to resolve container IP after 3 attempts: no IP address found. Is the Sandbox started?",
      code: "BAD_REQUEST",
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string,
      path: `/sandboxes/${record.id}/toolbox/proxy/${String(lab.app)}/some/a path`,
      method: "GET",
    });
    await lab.sandboxes.destroy(record);
  });

  it("are the runner's 404 for a container that is gone, while the proxy remembers the runner", async () => {
    const record = await lab.sandboxes.create({ public: true });
    const label = `${String(lab.app)}-${record.id}`;
    (await send(label, "/headers")).resume();
    await lab.sandboxes.destroy(record);
    const gone = await send(label, "/x");
    expect(gone.statusCode).toBe(404);
    expect(await json(gone)).toMatchObject({
      code: "NOT_FOUND",
      message: expect.stringContaining(
        "not found: sandbox container not found:",
      ) as string,
      path: `/sandboxes/${record.id}/toolbox/proxy/${String(lab.app)}/x`,
    });
  });

  it("name the client's path, decoded, for a sandbox that Daytona does not know", async () => {
    const id = randomUUID();
    const name = `daytona-sandbox-auth-${id}`;
    const cookie = `${name}=${sealCookie("seal", name, id)}`;
    const answer = await send(`3000-${id}`, "/a%20b%3C%26?x=1", {
      headers: { cookie },
    });
    expect(answer.statusCode).toBe(400);
    const body = await text(answer);
    expect(body).toContain(String.raw`/a b\u003c\u0026`);
    expect(JSON.parse(body)).toMatchObject({
      message: expect.stringContaining("failed to get runner info") as string,
      path: "/a b<&",
    });
  });

  it.each(["1", "99999", "0"])(
    "are 502 without a body for the dead port %s",
    async (port) => {
      const answer = await send(`${port}-${publicId}`, "/");
      expect(answer.statusCode).toBe(502);
      expect(await text(answer)).toBe("");
    },
  );
});

describe("an app that behaves badly", () => {
  /** Label of a sandbox whose app this is. */
  async function behave(handler: RequestListener): Promise<string> {
    const server = createServer(handler).listen(0);
    onTestFinished(() => {
      server.close();
      server.closeAllConnections();
    });
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    return `${String(port)}-${publicId}`;
  }

  it("and breaks off: so does the answer", async () => {
    const label = await behave((_request, response) => {
      response.writeHead(200, { "Content-Length": "10" });
      response.write("abc", () => response.destroy());
    });
    await expect(text(await send(label, "/"))).rejects.toThrow("aborted");
  });

  it("or says more in trailers, which pass as interim answers do", async () => {
    let te: unknown;
    const label = await behave((request, response) => {
      te = request.headers.te;
      response.writeEarlyHints({ link: "</x>; rel=preload" });
      response.writeHead(200, { Trailer: "X-Told" });
      response.write("body");
      response.addTrailers({ "X-Told": "before", "X-Untold": "at the end" });
      response.end();
    });
    const hints: unknown[] = [];
    const sent = request({
      port: lab.proxy,
      headers: { Host: `${label}.${domain}`, TE: "gzip, trailers" },
    }).end();
    sent.on("information", ({ statusCode }) => hints.push(statusCode));
    const [answer] = (await once(sent, "response")) as [IncomingMessage];
    expect(await text(answer)).toBe("body");
    expect(answer.trailers).toEqual({
      "x-told": "before",
      "x-untold": "at the end",
    });
    expect(hints).toEqual([103]);
    expect(te).toBe("trailers");
  });

  it("and breaks off before it answers: 502", async () => {
    const label = await behave((request) => request.socket.destroy());
    expect((await send(label, "/")).statusCode).toBe(502);
  });

  it("and waits with the body: the headers do not", async () => {
    const label = await behave((_request, response) => {
      response.flushHeaders();
    });
    const answer = await send(label, "/");
    expect(answer.statusCode).toBe(200);
    answer.destroy();
  });

  it("and resets an open WebSocket: it ends without a stray byte", async () => {
    const server = new WebSocketServer({ port: 0 });
    onTestFinished(() => {
      server.close();
    });
    server.on("connection", (_socket, { socket }) => socket.resetAndDestroy());
    const { port } = server.address() as AddressInfo;
    const client = new WebSocket(`ws://127.0.0.1:${String(lab.proxy)}/`, {
      headers: { Host: `${String(port)}-${publicId}.${domain}` },
    });
    const errors: unknown[] = [];
    client.on("error", (error) => errors.push(error));
    await once(client, "close");
    expect(errors).toEqual([]);
  });

  it.each(["before its answer", "after it"])(
    "and a client resets a WebSocket %s: others are served",
    async (when) => {
      const server = createTcpServer((socket) => {
        socket.on("error", () => undefined);
        if (when === "after it") {
          socket.write(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
          );
        }
      }).listen(0);
      onTestFinished(() => {
        server.close();
      });
      await once(server, "listening");
      const { port } = server.address() as AddressInfo;
      const client = connect(lab.proxy, "127.0.0.1");
      client.write(
        `GET / HTTP/1.1\r\nHost: ${String(port)}-${publicId}.${domain}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
      );
      const [upstream] = (await once(server, "connection")) as [Socket];
      if (when === "after it") await once(client, "data");
      client.resetAndDestroy();
      upstream.destroy();
      await Promise.all([once(client, "close"), once(upstream, "close")]);
      await sleep(50);
      const health = await send(undefined, "/health");
      expect(health.statusCode).toBe(200);
      health.resume();
    },
  );

  it("and closes a kept connection: the request goes out again", async () => {
    const used = new WeakSet<Socket>();
    const label = await behave((request, response) => {
      if (used.has(request.socket)) request.socket.resetAndDestroy();
      else response.end("fresh");
      used.add(request.socket);
    });
    for (const attempt of [1, 2, 3]) {
      const answer = await send(label, "/");
      expect([attempt, await text(answer)]).toEqual([attempt, "fresh"]);
    }
  });
});

describe("the base host", () => {
  it("answers its own paths and no others", async () => {
    const health = await json(await send(undefined, "/health"));
    expect(health).toEqual({ status: "ok", version: "v0.190.0" });
    for (const [path, status] of [
      ["/callback", 400],
      ["/callback?code=a&state=b", 400],
      ["/", 404],
      [`/toolbox/${publicId}/version`, 401],
    ] as const) {
      const answer = await send(undefined, path);
      expect([path, answer.statusCode]).toEqual([path, status]);
      answer.resume();
    }
  });

  it("leads to the toolbox with the API key", async () => {
    const path = `/toolbox/${privateId}/process/execute`;
    const answer = await send(undefined, path, {
      method: "POST",
      headers: { Authorization: `Bearer ${apiKey}` },
      body: [Buffer.from('{"command":"echo $((6*7))"}')],
    });
    expect(await json(answer)).toEqual({ exitCode: 0, result: "42\n" });
  });
});

describe("CORS", () => {
  const headers = {
    Origin: "https://app.example",
    "Access-Control-Request-Method": "PUT",
  };

  it("is Daytona's own answer, with credentials", async () => {
    const answer = await send(open(), "/", { method: "OPTIONS", headers });
    expect(answer.statusCode).toBe(204);
    expect(answer.headers).toMatchObject({
      "access-control-allow-origin": "https://app.example",
      "access-control-allow-credentials": "true",
    });
    answer.resume();
  });

  it("is left to the app when the request asks for it", async () => {
    const disabled = { ...headers, "X-Daytona-Disable-CORS": "true" };
    const answer = await send(open(), "/headers", { headers: disabled });
    expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
    const { headers: got } = await seen(answer);
    expect(got["x-daytona-disable-cors"]).toBeUndefined();
    expect(got.origin).toBe("https://app.example");
  });
});

describe("streams", () => {
  it("pass event by event", async () => {
    const answer = await send(open(), "/sse?interval=60000");
    expect(answer.headers["content-type"]).toBe("text/event-stream");
    const [event] = (await once(answer, "data")) as [Buffer];
    expect(event.toString()).toBe('id: 0\ndata: {"event":0}\n\n');
    answer.destroy();
  });

  it("pass large bodies both ways", async () => {
    const bytes = 20_000_000;
    const down = await send(open(), `/download?bytes=${String(bytes)}`);
    expect(down.headers["content-length"]).toBe(String(bytes));
    const up = await send(open(), "/upload", {
      method: "PUT",
      body: patternBytes(bytes),
    });
    const received = await json(up);
    let size = 0;
    for await (const chunk of down as AsyncIterable<Buffer>)
      size += chunk.length;
    expect(size).toBe(bytes);
    expect(received.bytes).toBe(bytes);
  });

  it("keep the body of a DELETE in its frame", async () => {
    const body = [Buffer.from("GET /x HTTP/1.1\r\n\r\n")];
    const answer = await send(open(), "/upload", {
      method: "DELETE",
      body,
      headers: { "Transfer-Encoding": "chunked" },
    });
    expect((await json(answer)).bytes).toBe(19);
  });

  it("echo by WebSocket, and only for who may", async () => {
    const url = `ws://127.0.0.1:${String(lab.proxy)}/ws`;
    const socket = new WebSocket(url, {
      headers: { Host: `${open()}.${domain}` },
    });
    await once(socket, "open");
    socket.send("hello");
    const [message] = (await once(socket, "message")) as [Buffer];
    expect(message.toString()).toBe("hello");
    socket.terminate();

    for (const [label, status] of [
      [shut(), 307],
      [`1-${publicId}`, 502],
    ] as const) {
      const refused = new WebSocket(url, {
        headers: { Host: `${label}.${domain}` },
      });
      const [, answer] = (await once(refused, "unexpected-response")) as [
        unknown,
        IncomingMessage,
      ];
      expect([label, answer.statusCode]).toEqual([label, status]);
      answer.destroy();
    }
    const token = `${url}?DAYTONA_SANDBOX_AUTH_KEY=${previewToken}`;
    const allowed = new WebSocket(token, {
      headers: { Host: `${shut()}.${domain}` },
    });
    await once(allowed, "open");
    allowed.terminate();
  });
});
