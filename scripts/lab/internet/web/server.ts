/** Web servers of the lab: HTTPS with HTTP/2 or without it, and plain HTTP. */
import {
  type Http2Bindings,
  type HttpBindings,
  getRequestListener,
} from "@hono/node-server";
import { once } from "node:events";
import { type Server, createServer } from "node:http";
import { type Http2SecureServer, createSecureServer } from "node:http2";
import {
  type Server as HttpsServer,
  createServer as createHttpsServer,
} from "node:https";
import type { KeyedCertificate } from "../certificates.ts";
import type { RequestLog, SeenRequest } from "./request-log.ts";

type Bindings = HttpBindings | Http2Bindings;
/** A request, with what Node knows of it beyond the standard. */
export type Handler = (
  request: Request,
  bindings: Bindings,
) => Response | Promise<Response>;

export interface WebServerArgs {
  /** Under which the log keeps what comes. */
  readonly host: string;
  readonly handler: Handler;
  readonly log: RequestLog;
}

export interface HttpsServerArgs extends WebServerArgs {
  readonly certificate: KeyedCertificate;
}

/** Whatever the client offers: HTTP/2 if it can, else HTTP/1.1. */
export function httpsServer(args: HttpsServerArgs): Http2SecureServer {
  const { certificate: cert, key } = args.certificate;
  const serve = getRequestListener(withoutConnectionHeaders(args.handler));
  const server = createSecureServer({ allowHTTP1: true, cert, key });
  return serving(server, serve, args);
}

/**
 * HTTP/1.1, whatever the client offers. After an early answer it waits for the
 * rest of the body for as long as the connection stands.
 */
export function http1Server(args: HttpsServerArgs): HttpsServer {
  const { certificate: cert, key } = args.certificate;
  const serve = getRequestListener(args.handler, {
    autoCleanupIncoming: false,
  });
  const options = { ALPNProtocols: ["http/1.1"], cert, key };
  return serving(createHttpsServer(options), serve, args);
}

export function httpServer(args: WebServerArgs): Server {
  return serving(createServer(), getRequestListener(args.handler), args);
}

/** @returns the server, which logs what comes and answers it */
function serving<T extends Server | HttpsServer | Http2SecureServer>(
  server: T,
  serve: ReturnType<typeof getRequestListener>,
  { host, log }: WebServerArgs,
): T {
  const answer = (
    request: Bindings["incoming"],
    response: Bindings["outgoing"],
  ) => {
    log.requested(host, seen(request));
    void serve(request, response);
  };
  server.on("request", answer);
  server.on("connection", () => {
    log.connected(host);
  });
  return server;
}

/** Sends every client to the same place by HTTPS. */
export const redirectToHttps: Handler = (request) => {
  const url = new URL(request.url);
  url.protocol = "https:";
  url.port = "";
  return new Response(null, {
    status: 301,
    headers: { location: url.href },
  });
};

/**
 * Hono sets headers of HTTP/1.1 connections on what it streams. HTTP/2 has
 * none of them (RFC 9113, 8.2.2), and Node sets them itself where they belong.
 */
function withoutConnectionHeaders(handler: Handler): Handler {
  return async (request, bindings) => {
    const response = await handler(request, bindings);
    response.headers.delete("connection");
    response.headers.delete("transfer-encoding");
    return response;
  };
}

/** Resolves when the server listens. */
export async function listen(
  server: Server | HttpsServer | Http2SecureServer,
  port: number,
  address: string,
): Promise<void> {
  server.listen(port, address);
  await once(server, "listening");
}

function seen(request: Bindings["incoming"]): SeenRequest {
  return {
    at: new Date().toISOString(),
    client: request.socket.remoteAddress ?? "",
    httpVersion: request.httpVersion,
    method: request.method ?? "",
    path: request.url ?? "",
    headers: { ...request.headers },
  };
}
