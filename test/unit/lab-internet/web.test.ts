import type { Hono } from "hono";
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import WebSocket from "ws";
import { webAuthority } from "../../../scripts/lab/internet/certificates.ts";
import { anthropic } from "../../../scripts/lab/internet/web/anthropic.ts";
import type { WebEnv } from "../../../scripts/lab/internet/web/echo.ts";
import { gitHub } from "../../../scripts/lab/internet/web/github.ts";
import { openRouter } from "../../../scripts/lab/internet/web/openrouter.ts";
import { RequestLog } from "../../../scripts/lab/internet/web/request-log.ts";
import {
  http1Server,
  httpServer,
  httpsServer,
  listen,
  redirectToHttps,
} from "../../../scripts/lab/internet/web/server.ts";
import { echoWebSockets } from "../../../scripts/lab/internet/web/websocket.ts";
import { testAuthority } from "./authority.ts";

const hello = { messages: [{ role: "user", content: "Hello" }] };
const key = { authorization: "Bearer x" };

async function ask(
  app: Hono<WebEnv>,
  path: string,
  headers: Record<string, string>,
  body?: string,
) {
  const response = await app.request(path, {
    headers,
    ...(body === undefined ? {} : { method: "POST", body }),
  });
  return { status: response.status, body: await response.text() };
}

describe("openrouter.ai", () => {
  const chat = "/api/v1/chat/completions";
  it.each([
    ["no key", {}, "{}", 401, "No cookie auth credentials found"],
    ["no JSON", key, "{", 400, "Invalid JSON body"],
    ["no model", key, JSON.stringify(hello), 400, "No models provided"],
    ["no messages", key, '{"model":"a/b"}', 400, "Input required"],
  ])("%s", async (_, headers, body, status, message) => {
    const answer = await ask(openRouter(), chat, headers, body);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body)).toMatchObject({
      error: { code: status },
    });
    expect(answer.body).toContain(message);
  });

  it("completes, in OpenAI's form", async () => {
    const body = JSON.stringify({ model: "a/b", ...hello });
    const answer = await ask(openRouter(), chat, key, body);
    expect(JSON.parse(answer.body)).toMatchObject({
      object: "chat.completion",
      model: "a/b",
      choices: [
        {
          finish_reason: "stop",
          message: {
            role: "assistant",
            content: "A stand-in of OpenRouter heard: Hello",
          },
        },
      ],
    });
  });

  it.each([
    ["/", 200],
    ["/api/v1/models", 200],
    ["/api/v2/anything", 404],
  ])("%s: %s", async (path, status) => {
    expect((await ask(openRouter(), path, {})).status).toBe(status);
  });
});

describe("api.anthropic.com", () => {
  const path = "/v1/messages";
  it.each([
    ["no key", {}, "{}", 401, "authentication_error"],
    [
      "no messages",
      { "x-api-key": "k" },
      '{"model":"m"}',
      400,
      "invalid_request_error",
    ],
    ["no JSON", key, "{", 400, "invalid_request_error"],
  ])("%s", async (_, headers, body, status, type) => {
    const answer = await ask(anthropic(), path, headers, body);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body)).toMatchObject({
      type: "error",
      error: { type },
    });
  });

  it("answers a message, and streams it", async () => {
    const request = { model: "m", ...hello };
    const whole = await ask(anthropic(), path, key, JSON.stringify(request));
    expect(JSON.parse(whole.body)).toMatchObject({
      type: "message",
      role: "assistant",
    });
    const body = JSON.stringify({ ...request, stream: true });
    const { body: stream } = await ask(anthropic(), path, key, body);
    const events = [...stream.matchAll(/^event: (.*)$/gm)].map(([, it]) => it);
    expect(events[0]).toBe("message_start");
    expect(events).toContain("content_block_delta");
    expect(events.at(-1)).toBe("message_stop");
  });

  it("takes a file from whoever has a key", async () => {
    const answer = await ask(anthropic(), "/v1/files", key, "x".repeat(1000));
    expect(JSON.parse(answer.body)).toMatchObject({ size_bytes: 1000 });
    expect((await ask(anthropic(), "/v1/files", {}, "x")).status).toBe(401);
  });
});

describe("api.github.com", () => {
  const agent = { "user-agent": "test" };
  it.each([
    ["/zen", agent, 200],
    ["/", agent, 200],
    ["/user", agent, 401],
    ["/nothing", agent, 404],
    ["/zen", {}, 403],
  ])("%s %s: %s", async (path, headers, status) => {
    expect((await ask(gitHub(), path, headers)).status).toBe(status);
  });
});

describe("a web server", () => {
  const log = new RequestLog();
  const closing: { close(): unknown }[] = [];
  let ca: string;
  let port: number;

  beforeAll(async () => {
    const authority = await testAuthority();
    ca = authority.certificate;
    const issuer = await webAuthority(authority);
    const host = "openrouter.ai";
    const handler = openRouter().fetch;
    const certificate = await issuer.issue([host, "127.0.0.1"]);
    const server = httpsServer({ host, handler, log, certificate });
    echoWebSockets(server, "/api/v1/ws");
    await listen(server, 0, "127.0.0.1");
    closing.push(server);
    port = (server.address() as AddressInfo).port;
  });
  afterAll(() => {
    for (const server of closing) server.close();
  });

  const streamed = JSON.stringify({ model: "a/b", ...hello, stream: true });

  it("streams over HTTP/2, and stays alive", async () => {
    const session = connectHttp2(`https://127.0.0.1:${String(port)}`, { ca });
    const request = session.request({
      ":method": "POST",
      ":path": "/api/v1/chat/completions",
      authorization: "Bearer x",
    });
    request.end(streamed);
    const body = await text(request);
    session.close();
    expect(body).toMatch(/^: OPENROUTER PROCESSING\n\ndata: /);
    expect(body).toMatch(/data: \[DONE\]\n\n$/);
  });

  it("streams over HTTP/1.1, and logs the path as it came", async () => {
    const socket = connectTls({ port, host: "127.0.0.1", ca });
    socket.write(
      `POST /api/v1/../v1/chat/completions HTTP/1.1\r\nhost: openrouter.ai\r\nauthorization: Bearer x\r\nconnection: close\r\ncontent-length: ${String(streamed.length)}\r\n\r\n${streamed}`,
    );
    const body = await text(socket);
    expect(body).toMatch(/^HTTP\/1\.1 200/);
    expect(body).toContain("data: [DONE]");
    expect(log.byHost()["openrouter.ai"]?.requests.at(-1)).toMatchObject({
      method: "POST",
      path: "/api/v1/../v1/chat/completions",
      httpVersion: "1.1",
    });
  });

  it("echoes on its WebSocket, and nowhere else", async () => {
    const url = `wss://127.0.0.1:${String(port)}/api/v1`;
    const socket = new WebSocket(`${url}/ws`, { ca });
    await once(socket, "open");
    socket.send("ping");
    const [message] = (await once(socket, "message")) as [Buffer];
    expect(message.toString()).toBe("ping");
    socket.close();
    const other = new WebSocket(`${url}/other`, { ca });
    const [error] = (await once(other, "error")) as [Error];
    expect(error.message).toContain("404");
  });

  it("counts who connects, whether a request comes or not", async () => {
    const before = log.byHost()["openrouter.ai"]?.connections ?? 0;
    const socket = connectTls({ port, host: "127.0.0.1", ca });
    await once(socket, "secureConnect");
    socket.destroy();
    expect(log.byHost()["openrouter.ai"]?.connections).toBe(before + 1);
  });

  it("sends plain HTTP to HTTPS, path and all", async () => {
    const host = "openrouter.ai";
    const server = httpServer({ host, handler: redirectToHttps, log });
    await listen(server, 0, "127.0.0.1");
    closing.push(server);
    const { port: plain } = server.address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${String(plain)}/a?b=%2F`, {
      redirect: "manual",
    });
    expect(response.status).toBe(301);
    expect(response.headers.get("location")).toBe("https://127.0.0.1/a?b=%2F");
  });

  it("speaks HTTP/1.1 alone where it is to, and keeps a connection after an early answer", async () => {
    const host = "http1.example.net";
    const authority = await testAuthority();
    const issuer = await webAuthority(authority);
    const certificate = await issuer.issue([host, "127.0.0.1"]);
    const handler = () => new Response("early");
    const server = http1Server({ host, handler, log, certificate });
    await listen(server, 0, "127.0.0.1");
    closing.push(server);
    const socket = connectTls({
      port: (server.address() as AddressInfo).port,
      host: "127.0.0.1",
      ca: authority.certificate,
      ALPNProtocols: ["h2", "http/1.1"],
    });
    await once(socket, "secureConnect");
    expect(socket.alpnProtocol).toBe("http/1.1");
    socket.write(
      `POST /owed HTTP/1.1\r\nhost: ${host}\r\ncontent-length: 3\r\n\r\n`,
    );
    await once(socket, "data");
    // Longer than a server would wait that gives such a connection up.
    await sleep(700);
    socket.write(
      `xyzGET /next HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`,
    );
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 200/);
    expect(log.byHost()[host]?.requests.map(({ path }) => path)).toEqual([
      "/owed",
      "/next",
    ]);
  });

  it("says so when it cannot listen", async () => {
    const other = createServer();
    other.listen(0, "127.0.0.1");
    await once(other, "listening");
    closing.push(other);
    const { port: taken } = other.address() as AddressInfo;
    const server = httpServer({ host: "x", handler: redirectToHttps, log });
    await expect(listen(server, taken, "127.0.0.1")).rejects.toThrow(
      "EADDRINUSE",
    );
  });
});
