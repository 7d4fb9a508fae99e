/** HTTPS (HTTP/1.1, HTTP/2, WebSocket), plain HTTP and UDP echo for the web's hosts. */
import { type HttpBindings, getRequestListener } from "@hono/node-server";
import { createSocket } from "node:dgram";
import { type IncomingMessage, createServer } from "node:http";
import { type IncomingHttpHeaders, createSecureServer } from "node:http2";
import type { Duplex } from "node:stream";
import { createSecureContext } from "node:tls";
import type { Hono } from "hono";
import { WebSocketServer } from "ws";
import type { KeyPairPem } from "./certificates.ts";

export interface WebHost {
  /** Name, or address when it is reached without one. */
  readonly name: string;
  readonly addresses: readonly string[];
  readonly certificate: KeyPairPem;
  readonly app: Hono<{ Bindings: HttpBindings }> | Hono;
  /** Path of a WebSocket that echoes. */
  readonly echoSocket?: string;
}

export interface ReceivedRequest {
  readonly host: string;
  readonly method: string;
  readonly url: string;
}

/**
 * Serves hosts that may share an address, told apart by the TLS name.
 * @param onRequest told of each request that arrives
 */
export async function serveHosts(
  hosts: readonly WebHost[],
  onRequest: (request: ReceivedRequest) => void,
): Promise<void> {
  const addresses = new Set(hosts.flatMap((host) => host.addresses));
  for (const address of addresses) {
    const here = hosts.filter((host) => host.addresses.includes(address));
    await serveHttps(address, here, onRequest);
    await serveHttp(address, here, onRequest);
  }
}

async function serveHttps(
  address: string,
  hosts: readonly WebHost[],
  onRequest: (request: ReceivedRequest) => void,
): Promise<void> {
  const [first] = hosts;
  if (!first) return;
  const contexts = new Map(
    hosts.map(({ name, certificate }) => [
      name,
      createSecureContext({
        cert: certificate.certificate,
        key: certificate.key,
      }),
    ]),
  );
  const listeners = new Map(
    hosts.map(({ name, app }) => [
      name,
      getRequestListener(app.fetch as Hono["fetch"]),
    ]),
  );
  const server = createSecureServer({
    allowHTTP1: true,
    cert: first.certificate.certificate,
    key: first.certificate.key,
    SNICallback: (name, done) => {
      done(null, contexts.get(name));
    },
  });
  const hostOf = (headers: IncomingHttpHeaders) => {
    const authority = headers[":authority"] ?? headers.host ?? "";
    const name = authority.replace(/:\d+$/, "").toLowerCase();
    return listeners.has(name) ? name : first.name;
  };
  server.on("request", (request, response) => {
    const name = hostOf(request.headers);
    onRequest({ host: name, method: request.method, url: request.url });
    void listeners.get(name)?.(request, response);
  });
  const sockets = new WebSocketServer({ noServer: true });
  server.on(
    "upgrade",
    (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      const host = hosts.find(({ name }) => name === hostOf(request.headers));
      if (!host?.echoSocket || request.url !== host.echoSocket) {
        socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n");
        return;
      }
      sockets.handleUpgrade(request, socket, head, (client) => {
        client.on("message", (message, isBinary) => {
          client.send(message as Buffer, { binary: isBinary });
        });
      });
    },
  );
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(443, address, resolve);
  });
}

/** Plain HTTP only leads to HTTPS, as on the real hosts. */
async function serveHttp(
  address: string,
  hosts: readonly WebHost[],
  onRequest: (request: ReceivedRequest) => void,
): Promise<void> {
  const server = createServer((request, response) => {
    const host = request.headers.host ?? hosts[0]?.name ?? address;
    onRequest({
      host: `http://${host}`,
      method: request.method ?? "",
      url: request.url ?? "",
    });
    response
      .writeHead(301, { Location: `https://${host}${request.url ?? "/"}` })
      .end();
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(80, address, resolve);
  });
}

/** Sends every datagram back to where it came from. */
export async function echoDatagrams(
  address: string,
  port: number,
): Promise<void> {
  const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
  socket.on("message", (message, client) => {
    socket.send(message, client.port, client.address);
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(port, address, resolve);
  });
}
