/**
 * The forwarding half of Daytona's proxies, which are all Go's ReverseProxy:
 * nothing is buffered, nothing has a time limit unless one is given, the path
 * goes through byte by byte, and each hop adds itself to X-Forwarded-For.
 */
import { createProxyServer } from "http-proxy-3";
import type {
  Agent,
  ClientRequest,
  IncomingHttpHeaders,
  IncomingMessage,
  ServerResponse,
} from "node:http";
import type { Socket } from "node:net";

export interface Forwarding {
  readonly host: string;
  readonly port: number;
  /** Path and query as they go out. */
  readonly path: string;
  /** Headers that replace those of the request; undefined removes one. */
  readonly headers: Record<string, string | string[] | undefined>;
  /** How long the upstream may stay silent, in milliseconds; else for ever. */
  readonly timeout?: number;
  /** Changes the headers of the answer before they go to the client. */
  readonly onAnswer?: (headers: IncomingHttpHeaders) => void;
}

export interface ReverseProxy {
  forward(
    request: IncomingMessage,
    response: ServerResponse,
    to: Forwarding,
    onError: (error: NodeJS.ErrnoException) => void,
  ): void;
  /** For requests that ask for WebSocket. */
  forwardUpgrade(
    request: IncomingMessage,
    socket: Socket,
    head: Buffer,
    to: Forwarding,
    onError: (error: NodeJS.ErrnoException) => void,
  ): void;
}

/** Headers of one connection (RFC 9110, 7.6.1) that a request must not pass. */
const hopByHop = ["keep-alive", "proxy-connection", "trailer"];

/** @param agent its keep-alive connections are the pool of this hop */
export function createReverseProxy(agent: Agent): ReverseProxy {
  const proxy = createProxyServer({ prependPath: false, toProxy: true });
  const forwardings = new WeakMap<IncomingMessage, Forwarding>();
  const upstreams = new WeakMap<IncomingMessage, ClientRequest>();
  const answered = new WeakSet<IncomingMessage>();
  const upgraded = new WeakSet<IncomingMessage>();

  // Whoever begins an exchange is told of its errors; a reset of one of its sockets
  // also comes here, and would end the process.
  proxy.on("error", () => undefined);
  proxy.on("proxyReq", (upstream, request, response) => {
    upstreams.set(request, upstream);
    // Go passes every interim answer on, as soon as it comes.
    upstream.on("information", (interim) => {
      if (response.headersSent) return;
      const { statusCode, statusMessage, rawHeaders } = interim;
      const fields = rawHeaders.map((text, index) =>
        index % 2 === 0 ? `${text}: ` : `${text}\r\n`,
      );
      response.socket?.write(
        `HTTP/1.1 ${String(statusCode)} ${statusMessage}\r\n${fields.join("")}\r\n`,
        "latin1",
      );
    });
    // Nobody asked for it; Go answers 502 as well.
    upstream.once("upgrade", (_answer, socket: Socket) => {
      socket.destroy();
      response.writeHead(502, { "Content-Length": 0 }).end();
    });
  });
  proxy.on("proxyReqWs", (upstream, request) => {
    upstream.once("upgrade", () => upgraded.add(request));
  });
  proxy.on("proxyRes", (answer, request, response) => {
    answered.add(request);
    // Go cannot pass on a status below 100 either, and breaks off.
    if ((answer.statusCode ?? 0) < 100) {
      answer.statusCode = 502;
      response.destroy();
    }
    forwardings.get(request)?.onAnswer?.(answer.headers);
    for (const name of ["connection", "keep-alive"]) {
      Reflect.deleteProperty(answer.headers, name);
    }
    // The headers go out before the first byte of a slow body.
    process.nextTick(() => {
      if (!response.headersSent) response.flushHeaders();
    });
    // Before the end of its body, which the library passes on, ends the answer.
    answer.once("end", () => {
      if (!response.writableEnded) response.addTrailers(answer.trailers);
    });
    // An upstream that breaks off must not look like a complete answer.
    answer.on("close", () => {
      if (!answer.complete) response.destroy();
    });
  });

  function prepare(request: IncomingMessage, to: Forwarding) {
    forwardings.set(request, to);
    const forwardedFor = request.headers["x-forwarded-for"];
    const peer = request.socket.remoteAddress?.replace(/^::ffff:/, "") ?? "";
    const headers: Forwarding["headers"] = {
      ...to.headers,
      "x-forwarded-for":
        forwardedFor === undefined ? peer : `${String(forwardedFor)}, ${peer}`,
    };
    // All that Go says of it to the next hop.
    const { te } = request.headers;
    if (te !== undefined) {
      headers.te = /\btrailers\b/i.test(String(te)) ? "trailers" : undefined;
    }
    for (const name of [...hopByHop, ...Object.keys(headers)]) {
      Reflect.deleteProperty(request.headers, name);
    }
    return {
      target: { host: to.host, port: to.port, protocol: "http:" },
      agent,
      headers: Object.fromEntries(
        Object.entries(headers).filter(([, value]) => value !== undefined),
      ),
      ...(to.timeout === undefined ? {} : { proxyTimeout: to.timeout }),
    };
  }

  /** The library takes the path from the request, and only while it starts. */
  function withPath(request: IncomingMessage, path: string, start: () => void) {
    const { url } = request;
    request.url = path;
    try {
      start();
    } finally {
      request.url = url ?? "/";
    }
  }

  /** The library would cut the body off a chunked DELETE: it must not know. */
  function withoutMethod(request: IncomingMessage, start: () => void) {
    const { method } = request;
    request.method = "";
    try {
      start();
    } finally {
      request.method = method ?? "GET";
    }
  }

  return {
    forward(request, response, to, onError) {
      const options = {
        ...prepare(request, to),
        method: request.method ?? "GET",
      };
      options.headers.connection = "keep-alive";
      const attempt = () => {
        try {
          withPath(request, to.path, () => {
            withoutMethod(request, () => {
              proxy.web(request, response, options, failed);
            });
          });
        } catch (error) {
          // Not a port at all, for example 99999.
          onError(error as NodeJS.ErrnoException);
        }
      };
      const failed = (error: NodeJS.ErrnoException) => {
        if (response.writableEnded) return;
        // An answer that breaks off in its body is already on its way.
        const isLate = answered.has(request) || response.headersSent;
        if (isLate || response.destroyed) response.destroy();
        else if (isStale(request, error)) attempt();
        else onError(error);
      };
      attempt();
    },
    forwardUpgrade(request, socket, head, to, onError) {
      const failed = (error: NodeJS.ErrnoException) => {
        // An answer in HTTP would be garbage in an open WebSocket.
        if (upgraded.has(request)) socket.destroy();
        else onError(error);
      };
      try {
        const options = prepare(request, to);
        withPath(request, to.path, () => {
          proxy.ws(request, socket, head, options, failed);
        });
      } catch (error) {
        onError(error as NodeJS.ErrnoException);
      }
    },
  };

  /**
   * The upstream closed a pooled connection just as it was taken. Like Go's
   * client, a request without a body is sent again.
   */
  function isStale(
    request: IncomingMessage,
    error: NodeJS.ErrnoException,
  ): boolean {
    return (
      upstreams.get(request)?.reusedSocket === true &&
      error.code === "ECONNRESET" &&
      request.headers["content-length"] === undefined &&
      request.headers["transfer-encoding"] === undefined
    );
  }
}
