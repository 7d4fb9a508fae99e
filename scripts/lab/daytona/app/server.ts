import { createHash } from "node:crypto";
import { type Server, createServer } from "node:http";
import { WebSocketServer } from "ws";
import { handle } from "./routes.ts";

/**
 * The app on one port: HTTP, an echo by WebSocket on `/ws`, and on `/stubborn`
 * a WebSocket that never says farewell, whatever its client does.
 */
export function createApp(): Server {
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      // The client went away in the middle of it.
      console.error(error);
      response.destroy();
    });
  });
  server.requestTimeout = 0;
  const echo = new WebSocketServer({ noServer: true, path: "/ws" });
  server.on("upgrade", (request, socket, head) => {
    socket.on("error", console.error);
    if (request.url === "/stubborn") {
      socket.write(switching(request.headers["sec-websocket-key"] ?? ""));
      return;
    }
    echo.handleUpgrade(request, socket, head, (client) => {
      client.on("message", (message, isBinary) => {
        client.send(message, { binary: isBinary });
      });
      client.on("error", console.error);
    });
  });
  return server;
}

/** The answer that opens a WebSocket (RFC 6455, section 4.2.2). */
function switching(key: string): string {
  const accept = createHash("sha1")
    .update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest("base64");
  return `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
}
