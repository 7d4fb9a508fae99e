/**
 * Many sandboxes: each has an address and a verified connection to one of the
 * hosts, and asks on it now and then. Tells its parent once all are there, and
 * ends with an error when a connection does. One connection each: from a fifth
 * of its files on HAProxy keeps fewer connections to origins
 * (tune.pool-low-fd-ratio), and a bench may have fewer files than a gateway.
 * usage: sandboxes.ts COUNT HOST...
 */
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { type TLSSocket, connect as connectTls } from "node:tls";
import { authorities } from "./places.ts";

const [count = "0", ...hosts] = process.argv.slice(2);
const ca = authorities.map((file) => readFileSync(file));

/** Below the gateway's keep-alive time, in milliseconds. */
const interval = 40_000;

const addressOf = (sandbox: number) =>
  `172.20.${String(1 + Math.floor(sandbox / 250))}.${String(1 + (sandbox % 250))}`;

/** Opens a connection and gets a first answer. */
function open(sandbox: number, host: string): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const fail = (error?: Error) => {
      reject(
        new Error(
          `sandbox ${String(sandbox)} to ${host}: ${error?.message ?? "closed"}`,
        ),
      );
    };
    const localAddress = addressOf(sandbox);
    const socket = connectTls({
      socket: connect({ host, port: 443, localAddress }),
      servername: host,
      ca,
    });
    socket.once("secureConnect", () => {
      ask(socket, host);
    });
    socket.once("data", (data: Buffer) => {
      if (data.toString().startsWith("HTTP/1.1 200")) resolve(socket);
      else fail(new Error(data.toString()));
    });
    socket.on("error", fail);
    socket.once("close", () => {
      fail();
    });
  });
}

function ask(socket: TLSSocket, host: string): void {
  socket.write(`GET /api/answer HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
}

async function live(sandbox: number): Promise<void> {
  const host = hosts[sandbox % hosts.length] ?? "";
  const socket = await open(sandbox, host);
  socket.once("close", () => {
    fail(new Error(`sandbox ${String(sandbox)} lost ${host}`));
  });
  setInterval(() => {
    ask(socket, host);
  }, interval);
}

function fail(error: unknown): void {
  console.error(error);
  process.exit(1);
}

async function all(): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      while (next < Number(count)) await live(next++);
    }),
  );
  // Their handshakes are over: what follows is measured.
  await sleep(200);
  process.send?.(next);
}

all().catch(fail);
