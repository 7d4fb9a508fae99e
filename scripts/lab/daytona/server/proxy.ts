/**
 * Daytona's preview proxy: `{port}-{sandbox}.{domain}` to that port of that
 * sandbox. Its runner is part of it here, so the next hop is the toolbox.
 */
import {
  Agent,
  type IncomingMessage,
  type Server,
  ServerResponse,
  createServer,
} from "node:http";
import type { Socket } from "node:net";
import { createReverseProxy } from "../reverse-proxy.ts";
import { corsHeaders, isPreflight } from "./cors.ts";
import { decodedPath, sendError, sendJson } from "./errors.ts";
import { type ProxySettings, type Route, createRouter } from "./routes.ts";
import type { Sandboxes } from "./sandboxes.ts";

/** Errors of a connection that was never made. */
const dialErrors = new Set(["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH"]);

export function createProxy(
  settings: ProxySettings,
  sandboxes: Sandboxes,
): Server {
  const route = createRouter(settings, sandboxes);
  const proxy = createReverseProxy(
    new Agent({ keepAlive: true, timeout: 30_000 }),
  );

  const server = createServer((request, response) => {
    const cors = corsHeaders(request);
    for (const [name, value] of Object.entries(cors)) {
      response.setHeader(name, value);
    }
    if (isPreflight(request) && Object.keys(cors).length > 0) {
      response.writeHead(204).end();
      return;
    }
    const decided = route(request);
    if (!("forward" in decided)) {
      answer(request, response, decided);
      return;
    }
    const { forward, setCookie, runnerPath } = decided;
    const to = {
      ...forward,
      onAnswer: (headers: IncomingMessage["headers"]) => {
        Object.assign(headers, cors);
        if (setCookie === undefined) return;
        headers["set-cookie"] = [setCookie, ...(headers["set-cookie"] ?? [])];
      },
    };
    proxy.forward(request, response, to, (error) => {
      answer(request, response, failure(error, runnerPath));
    });
  });

  server.on(
    "upgrade",
    (request: IncomingMessage, socket: Socket, head: Buffer) => {
      // A connection that breaks is nobody's error.
      socket.on("error", () => socket.destroy());
      const refuse = (refusal: Answer) => {
        const response = new ServerResponse(request);
        response.assignSocket(socket);
        response.shouldKeepAlive = false;
        response.on("finish", () => socket.end());
        answer(request, response, refusal);
      };
      corsHeaders(request);
      const decided = route(request);
      if (!("forward" in decided)) {
        refuse(decided);
        return;
      }
      const { forward, runnerPath } = decided;
      proxy.forwardUpgrade(request, socket, head, forward, (error) => {
        refuse(failure(error, runnerPath));
      });
    },
  );

  // Only the head of a request has a time limit, and an idle connection.
  server.requestTimeout = 0;
  server.headersTimeout = 10_000;
  server.keepAliveTimeout = 70_000;
  return server;
}

type Answer = Exclude<Route, { forward: unknown }>;

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  what: Answer,
): void {
  if ("refusal" in what) {
    const path = decodedPath(what.path ?? request.url ?? "/");
    sendError(request, response, what.status, what.refusal, path);
    return;
  }
  if (what.json !== undefined) {
    sendJson(response, what.status, what.json);
    return;
  }
  response.statusCode = what.status;
  for (const [name, value] of Object.entries(what.headers ?? {})) {
    response.setHeader(name, value);
  }
  response.end();
}

function failure(error: NodeJS.ErrnoException, path: string): Answer {
  return dialErrors.has(error.code ?? "")
    ? {
        status: 400,
        refusal: `no answer from the toolbox (${String(error.code)}). Is the Sandbox started?`,
        path,
      }
    : { status: 502 };
}
