/**
 * Opens WebSockets through the edge and keeps them open; tells its parent how
 * many there are. Plain TLS sockets: a client library's would cost more memory
 * than the edge that is measured.
 * usage: sockets.ts HOST TOKEN COUNT
 */
import { connect } from "node:tls";

const [host = "", token = "", count = "0"] = process.argv.slice(2);
const upgrade = [
  "GET /ws HTTP/1.1",
  `Host: ${host}`,
  `X-Sandbox-Token: ${token}`,
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  "",
  "",
].join("\r\n");

function open(): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({
      host: "127.0.0.1",
      port: 443,
      servername: host,
      rejectUnauthorized: false,
    });
    socket.on("secureConnect", () => socket.write(upgrade));
    socket.once("data", (data: Buffer) => {
      resolve(data.toString().startsWith("HTTP/1.1 101"));
    });
    socket.on("error", () => {
      resolve(false);
    });
  });
}

let left = Number(count);
let opened = 0;
void Promise.all(
  Array.from({ length: 32 }, async () => {
    while (left-- > 0) if (await open()) opened++;
  }),
).then(() => process.send?.(opened));
