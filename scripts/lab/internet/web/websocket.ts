import type { Http2SecureServer } from "node:http2";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";

/**
 * Echoes messages on one path; other paths are not to be upgraded, and those
 * below this one get an ordinary answer, which says what fields arrived.
 */
export function echoWebSockets(server: Http2SecureServer, path: string): void {
  const sockets = new WebSocketServer({ noServer: true });
  sockets.on("connection", (socket) => {
    socket.on("message", (data, isBinary) => {
      socket.send(data, { binary: isBinary });
    });
    socket.on("error", () => {
      socket.terminate();
    });
  });
  server.on(
    "upgrade",
    (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      const asked = request.url?.split("?", 1)[0];
      if (asked?.startsWith(`${path}/`)) {
        socket.end(
          `HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n${JSON.stringify(request.headers)}`,
        );
        return;
      }
      if (asked !== path) {
        socket.end("HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n");
        return;
      }
      sockets.handleUpgrade(request, socket, head, (webSocket) => {
        sockets.emit("connection", webSocket, request);
      });
    },
  );
}
