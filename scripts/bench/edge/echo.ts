/** The application behind idle WebSockets: takes them and keeps still. */
import { createServer } from "node:http";
import { WebSocketServer } from "ws";

const server = createServer();
new WebSocketServer({ server, perMessageDeflate: false });
server.listen(4001, "127.0.0.1", 4_096);
