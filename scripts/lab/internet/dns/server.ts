/** DNS over UDP and TCP on one address (RFC 1035, 7766). */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { type Server, type Socket, createServer } from "node:net";
import { type Answered, answerMessage } from "./message.ts";
import type { QueryLog } from "./query-log.ts";
import type { Resolve } from "./reply.ts";

export interface DnsServerArgs {
  /** Answers leave from the address that was asked. */
  readonly address: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly resolve: Resolve;
  /** Whether it says that it resolves for anyone. */
  readonly recursive: boolean;
  readonly log: QueryLog;
}

export interface DnsServer {
  readonly port: number;
  close(): void;
}

/** How long a connection may be silent, in ms. */
const idleLimit = 10_000;

/** Starts a server on both transports. */
export async function startDnsServer(args: DnsServerArgs): Promise<DnsServer> {
  const tcp = createServer((socket) => {
    serveConnection(socket, args);
  });
  tcp.listen(args.port, args.address);
  await once(tcp, "listening");
  const port = portOf(tcp);
  const udp = createSocket(args.address.includes(":") ? "udp6" : "udp4");
  udp.on("message", (message, client) => {
    const answered = answer(message, "udp", client.address, args);
    if (answered) udp.send(answered.bytes, client.port, client.address);
  });
  udp.bind(port, args.address);
  await once(udp, "listening");
  return {
    port,
    close() {
      udp.close();
      tcp.close();
    },
  };
}

/** Several queries may come on one connection, in pieces of any size. */
function serveConnection(socket: Socket, args: DnsServerArgs): void {
  const client = socket.remoteAddress ?? "";
  let received = Buffer.alloc(0);
  socket.setTimeout(idleLimit, () => socket.destroy());
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    while (received.length >= 2) {
      const end = 2 + received.readUInt16BE(0);
      if (received.length < end) return;
      const answered = answer(received.subarray(2, end), "tcp", client, args);
      received = received.subarray(end);
      if (!answered) continue;
      const length = Buffer.alloc(2);
      length.writeUInt16BE(answered.bytes.length);
      socket.write(Buffer.concat([length, answered.bytes]));
    }
  });
}

function answer(
  message: Buffer,
  transport: "udp" | "tcp",
  client: string,
  { address, resolve, recursive, log }: DnsServerArgs,
): Answered | undefined {
  const answered = answerMessage(message, { resolve, recursive, transport });
  if (answered?.question) {
    const { name, type } = answered.question;
    const { rcode } = answered;
    const at = new Date().toISOString();
    log.add({ at, server: address, transport, client, name, type, rcode });
  }
  return answered;
}

function portOf(server: Server): number {
  const bound = server.address();
  if (bound === null || typeof bound === "string") {
    throw new Error("The server listens on no port");
  }
  return bound.port;
}
