/**
 * Asks for many different sandboxes, each with a token of its own, and tells
 * its parent how many answered.
 * usage: hosts.ts DOMAIN SECRET COUNT FROM
 */
import { createHmac } from "node:crypto";
import { type TLSSocket, connect } from "node:tls";

const [domain = "", secret = "", count = "0", from = "0"] =
  process.argv.slice(2);
const part = (value: unknown) =>
  Buffer.from(JSON.stringify(value)).toString("base64url");
const header = part({ alg: "HS256", typ: "JWT", kid: "key-1" });
const now = Math.floor(Date.now() / 1000);

function requestOf(index: number): string {
  const hex = (index + 1).toString(16).padStart(12, "0");
  const id = `a${hex.slice(5)}-cd9e-428f-99c0-${hex}`;
  const text = `${header}.${part({ sub: id, ports: 3000, iat: now, exp: now + 86_400 })}`;
  const signature = createHmac("sha256", secret)
    .update(text)
    .digest("base64url");
  return `GET / HTTP/1.1\r\nHost: ${id}-3000.${domain}\r\nX-Sandbox-Token: ${text}.${signature}\r\n\r\n`;
}

let next = Number(from);
const end = next + Number(count);
let answered = 0;

function work(socket: TLSSocket): Promise<void> {
  return new Promise((resolve) => {
    const ask = () => {
      if (next >= end) {
        socket.destroy();
        resolve();
      } else socket.write(requestOf(next++));
    };
    socket.on("secureConnect", ask);
    socket.on("data", (data: Buffer) => {
      if (data.toString().startsWith("HTTP/1.1 200")) answered++;
      ask();
    });
    socket.on("error", () => {
      resolve();
    });
  });
}

void Promise.all(
  Array.from({ length: 32 }, () =>
    work(
      connect({
        host: "127.0.0.1",
        port: 443,
        servername: `x.${domain}`,
        rejectUnauthorized: false,
      }),
    ),
  ),
).then(() => process.send?.([answered]));
