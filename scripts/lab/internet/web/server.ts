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
  const { certificate, host, handler, log } = args;
  const serve = getRequestListener(withoutConnectionHeaders(handler));
  const server = createSecureServer(
    { allowHTTP1: true, cert: certificate.certificate, key: certificate.key },
    (request, response) => {
      log.requested(host, seen(request));
      void serve(request, response);
    },
  );
  server.on("connection", () => {
    log.connected(host);
  });
  return server;
}

/**
 * HTTP/1.1, whatever the client offers. After an early answer it waits for the
 * rest of the body for as long as the connection stands.
 */
export function http1Server(args: HttpsServerArgs): HttpsServer {
  const { certificate, host, handler, log } = args;
  const serve = getRequestListener(handler, { autoCleanupIncoming: false });
  const server = createHttpsServer(
    {
      ALPNProtocols: ["http/1.1"],
      cert: certificate.certificate,
      key: certificate.key,
    },
    (request, response) => {
      log.requested(host, seen(request));
      void serve(request, response);
    },
  );
  server.on("connection", () => {
    log.connected(host);
  });
  return server;
}

export function httpServer(args: WebServerArgs): Server {
  const { host, handler, log } = args;
  const serve = getRequestListener(handler);
  const server = createServer((request, response) => {
    log.requested(host, seen(request));
    void serve(request, response);
  });
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
