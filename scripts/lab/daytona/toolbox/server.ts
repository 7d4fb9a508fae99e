import { getRequestListener } from "@hono/node-server";
import {
  Agent,
  type IncomingMessage,
  type Server,
  createServer,
} from "node:http";
import type { Socket } from "node:net";
import { type Forwarding, createReverseProxy } from "../reverse-proxy.ts";
import { toolboxRoutes } from "./routes.ts";

/**
 * Daytona's daemon in a sandbox. It trusts whoever reaches it; only the
 * network around the sandbox keeps others away.
 */
export function createToolbox(version: string): Server {
  const routes = getRequestListener(toolboxRoutes(version).fetch);
  const proxy = createReverseProxy(
    // Shorter than the 5 s after which most servers close an idle connection.
    new Agent({ keepAlive: true, timeout: 4_000 }),
  );

  const server = createServer((request, response) => {
    const to = proxied(request);
    if (!to) {
      void routes(request, response);
      return;
    }
    proxy.forward(request, response, to, () => {
      response.writeHead(502, { "Content-Length": 0 }).end();
    });
  });
  server.on(
    "upgrade",
    (request: IncomingMessage, socket: Socket, head: Buffer) => {
      // A connection that breaks is nobody's error.
      socket.on("error", () => socket.destroy());
      const to = proxied(request);
      const refuse = (status: string) =>
        socket.end(
          `HTTP/1.1 ${status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
        );
      if (!to) refuse("404 Not Found");
      else {
        proxy.forwardUpgrade(request, socket, head, to, () => {
          refuse("502 Bad Gateway");
        });
      }
    },
  );

  server.requestTimeout = 0;
  // Whoever keeps a connection to a toolbox decides how long.
  server.keepAliveTimeout = 0;
  return server;
}

/** `/proxy/{port}/…`: the port is not checked, as in Daytona. */
function proxied(request: IncomingMessage): Forwarding | undefined {
  const match = /^\/proxy\/([^/?]+)(.*)$/s.exec(request.url ?? "");
  if (!match) return undefined;
  const [, port = "", rest = ""] = match;
  const path = rest.startsWith("/") ? rest : `/${rest}`;
  const headers = { host: `localhost:${port}` };
  return { host: "localhost", port: Number(port), path, headers };
}
