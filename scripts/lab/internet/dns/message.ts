/** From the bytes of a query to the bytes of its answer. */
import {
  AUTHORITATIVE_ANSWER,
  type Answer,
  type DecodedPacket,
  type OptAnswer,
  type Packet,
  type Question,
  RECURSION_AVAILABLE,
  RECURSION_DESIRED,
  TRUNCATED_RESPONSE,
  decode,
  encode,
} from "dns-packet";
import { canonicalName } from "./name.ts";
import { type Reply, type Resolve, rcode, refusal } from "./reply.ts";
import type { ResourceRecord } from "./zone.ts";

export interface Answered {
  readonly bytes: Buffer;
  /** Absent when the query could not be read. */
  readonly question?: Question;
  readonly rcode: number;
}

export interface MessageOptions {
  readonly resolve: Resolve;
  /** Whether the server says that it resolves for anyone. */
  readonly recursive: boolean;
  /** TCP has no limit but that of a message. */
  readonly transport: "udp" | "tcp";
}

/** Largest UDP answer without EDNS (RFC 1035), and ours with it, in bytes. */
const plainUdpSize = 512;
const ednsUdpSize = 1232;
const largestMessage = 65_535;

const opcodeMask = 0x7800;
/** BADVERS (RFC 6891): 16, of which the upper bits stand in the OPT record. */
const badVersionUpperBits = 1;

/** @returns undefined for what deserves no answer: junk and answers */
export function answerMessage(
  message: Buffer,
  options: MessageOptions,
): Answered | undefined {
  if (message.length < 12 || (message.readUInt8(2) & 0x80) !== 0) return;
  const query = decodedOrUndefined(message);
  const [question, ...others] = query?.questions ?? [];
  if (!query || !question || others.length > 0) {
    const id = message.readUInt16BE(0);
    const flags = rcode.formatError;
    return { bytes: encode({ type: "response", id, flags }), rcode: flags };
  }
  const edns = query.additionals?.find((it) => it.type === "OPT");
  if (edns && edns.ednsVersion > 0) {
    const bytes = encode({
      ...headerOf(query, rcode.noError),
      questions: [question],
      additionals: [optRecord(badVersionUpperBits)],
    });
    return { bytes, question, rcode: 16 };
  }
  const reply = replyTo(query, question, options.resolve);
  const bytes = limited(query, question, reply, edns, options);
  return { bytes, question, rcode: reply.rcode };
}

function decodedOrUndefined(message: Buffer): DecodedPacket | undefined {
  try {
    return decode(message);
  } catch {
    return undefined;
  }
}

function replyTo(
  query: DecodedPacket,
  question: Question,
  resolve: Resolve,
): Reply {
  if (((query.flags ?? 0) & opcodeMask) !== 0) {
    return { ...refusal, rcode: rcode.notImplemented };
  }
  const isTransfer = question.type === "AXFR" || question.type === "IXFR";
  if (isTransfer || question.class !== "IN") return refusal;
  const name = canonicalName(question.name);
  const reply = resolve(name, question.type);
  // The asker finds its own spelling again (0x20), for the name it asked for.
  const spelled = (record: ResourceRecord): ResourceRecord =>
    record.name === name ? { ...record, name: question.name } : record;
  return { ...reply, answers: reply.answers.map(spelled) };
}

function limited(
  query: DecodedPacket,
  question: Question,
  reply: Reply,
  edns: OptAnswer | undefined,
  { recursive, transport }: MessageOptions,
): Buffer {
  const flags =
    reply.rcode |
    (reply.authoritative ? AUTHORITATIVE_ANSWER : 0) |
    (recursive ? RECURSION_AVAILABLE : 0);
  const opt: Answer[] = edns ? [optRecord(0)] : [];
  const packet: Packet = {
    ...headerOf(query, flags),
    questions: [question],
    answers: reply.answers.map(wire),
    authorities: reply.authorities.map(wire),
    additionals: [...reply.additionals.map(wire), ...opt],
  };
  const bytes = encode(packet);
  if (bytes.length <= limitOf(transport, edns)) return bytes;
  return encode({
    ...headerOf(query, flags | TRUNCATED_RESPONSE),
    questions: [question],
    additionals: opt,
  });
}

function limitOf(transport: "udp" | "tcp", edns?: OptAnswer): number {
  if (transport === "tcp") return largestMessage;
  if (!edns) return plainUdpSize;
  return Math.max(plainUdpSize, Math.min(edns.udpPayloadSize, ednsUdpSize));
}

function headerOf(query: DecodedPacket, flags: number): Packet {
  const asked = (query.flags ?? 0) & (opcodeMask | RECURSION_DESIRED);
  return { type: "response", id: query.id ?? 0, flags: flags | asked };
}

function optRecord(extendedRcode: number): OptAnswer {
  return {
    type: "OPT",
    name: ".",
    udpPayloadSize: ednsUdpSize,
    extendedRcode,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  };
}

function wire(record: ResourceRecord): Answer {
  return record.name === "" ? { ...record, name: "." } : record;
}
