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
  new WebSocketServer({ server, path: "/ws" }).on("connection", (socket) => {
    socket.on("message", (message, isBinary) => {
      socket.send(message, { binary: isBinary });
    });
    socket.on("error", console.error);
  });
  return server;
}
