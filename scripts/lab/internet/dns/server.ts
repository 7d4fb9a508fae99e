/** The zones over UDP and TCP. */
import { createSocket } from "node:dgram";
import { type Socket, createServer } from "node:net";
import {
  AUTHORITATIVE_ANSWER,
  type DecodedPacket,
  type Packet,
  RECURSION_AVAILABLE,
  TRUNCATED_RESPONSE,
  decode,
  encode,
} from "dns-packet";
import { type ZoneRecord, answer, wire } from "./zone.ts";

/** Largest UDP answer for a client that does not say what it takes. */
const plainUdpSize = 512;

export interface NameServer {
  /** Its address; answers leave from it. */
  readonly address: string;
  readonly port: number;
  /** What it knows at this moment. */
  readonly records: () => readonly ZoneRecord[];
  /** Says that it resolves for anyone, and has this address for unknown names. */
  readonly openResolver?: { readonly strayAddress: string };
  /** Told each question. */
  readonly onQuestion?: (name: string, type: string) => void;
}

/** Listens on both transports; resolves when it does. */
export async function listen(server: NameServer): Promise<() => void> {
  const udp = createSocket(server.address.includes(":") ? "udp6" : "udp4");
  udp.on("message", (message, client) => {
    const reply = replyTo(server, message, udpSize(message));
    if (reply) udp.send(reply, client.port, client.address);
  });
  const tcp = createServer((socket) => {
    serveStream(server, socket);
  });
  await new Promise<void>((resolve, reject) => {
    udp.once("error", reject);
    udp.bind(server.port, server.address, resolve);
  });
  const { port } = udp.address();
  await new Promise<void>((resolve, reject) => {
    tcp.once("error", reject);
    tcp.listen(port, server.address, resolve);
  });
  return () => {
    udp.close();
    tcp.close();
  };
}

/** Several questions may come on one connection (RFC 7766). */
function serveStream(server: NameServer, socket: Socket): void {
  let buffer = Buffer.alloc(0);
  socket.setTimeout(10_000, () => socket.destroy());
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk) => {
    buffer = Buffer.concat([buffer, chunk]);
    while (buffer.length >= 2 && buffer.length >= 2 + buffer.readUInt16BE(0)) {
      const end = 2 + buffer.readUInt16BE(0);
      const reply = replyTo(server, buffer.subarray(2, end), 65_535);
      buffer = buffer.subarray(end);
      if (!reply) continue;
      const length = Buffer.alloc(2);
      length.writeUInt16BE(reply.length);
      socket.write(Buffer.concat([length, reply]));
    }
  });
}

/** The answer to a message, or undefined for what is no question. */
export function replyTo(
  server: NameServer,
  message: Buffer,
  size: number,
): Buffer | undefined {
  let query: DecodedPacket;
  try {
    query = decode(message);
  } catch {
    return undefined;
  }
  const [question] = query.questions ?? [];
  if (query.type !== "query" || !question) return undefined;
  const name = question.name.toLowerCase().replace(/\.$/, "");
  server.onQuestion?.(name, question.type);

  const base: Packet = {
    type: "response",
    id: query.id ?? 0,
    questions: [question],
  };
  const hasOptions = (query.additionals ?? []).some(
    (record) => record.type === "OPT",
  );
  const additionals: Packet["additionals"] = hasOptions
    ? [
        {
          type: "OPT",
          name: ".",
          udpPayloadSize: 1232,
          extendedRcode: 0,
          ednsVersion: 0,
          flags: 0,
          flag_do: false,
          options: [],
        },
      ]
    : [];
  if (["ANY", "AXFR", "IXFR"].includes(question.type)) {
    return encode({ ...base, additionals, flags: 5 });
  }
  const reply = answer(server.records(), name, question.type);
  const isStray = reply.rcode === "NXDOMAIN" && question.type === "A";
  if (server.openResolver && isStray) {
    const data = server.openResolver.strayAddress;
    const stray = { name: question.name, type: "A" as const, ttl: 30, data };
    return encode({
      ...base,
      additionals,
      answers: [stray],
      flags: RECURSION_AVAILABLE,
    });
  }
  const rcode = reply.rcode === "NXDOMAIN" ? 3 : 0;
  const flags =
    rcode |
    AUTHORITATIVE_ANSWER |
    (server.openResolver ? RECURSION_AVAILABLE : 0);
  const packet = encode({
    ...base,
    additionals,
    flags,
    answers: reply.answers.map(wire),
    authorities: reply.authorities.map(wire),
  });
  return packet.length <= size
    ? packet
    : encode({ ...base, additionals, flags: flags | TRUNCATED_RESPONSE });
}

function udpSize(message: Buffer): number {
  try {
    const options = decode(message).additionals?.find(
      (record) => record.type === "OPT",
    );
    return Math.max(
      plainUdpSize,
      options && "udpPayloadSize" in options ? options.udpPayloadSize : 0,
    );
  } catch {
    return plainUdpSize;
  }
}
