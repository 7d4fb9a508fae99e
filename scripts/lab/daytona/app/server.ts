import { type Server, createServer } from "node:http";
import { WebSocketServer } from "ws";
import { handle } from "./routes.ts";

/** The app on one port: HTTP, and an echo by WebSocket on `/ws`. */
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
    echo.handleUpgrade(request, socket, head, (client) => {
      client.on("message", (message, isBinary) => {
        client.send(message, { binary: isBinary });
      });
      client.on("error", console.error);
    });
  });
  return server;
}
