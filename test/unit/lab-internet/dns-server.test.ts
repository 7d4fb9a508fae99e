import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect } from "node:net";
import { buffer } from "node:stream/consumers";
import {
  type DecodedPacket,
  type Packet,
  RECURSION_DESIRED,
  decode,
  encode,
  streamEncode,
} from "dns-packet";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { answerMessage } from "../../../scripts/lab/internet/dns/message.ts";
import { QueryLog } from "../../../scripts/lab/internet/dns/query-log.ts";
import { authoritativeReply } from "../../../scripts/lab/internet/dns/reply.ts";
import {
  type DnsServer,
  startDnsServer,
} from "../../../scripts/lab/internet/dns/server.ts";
import {
  type ResourceRecord,
  Zone,
} from "../../../scripts/lab/internet/dns/zone.ts";

const longText = Array.from({ length: 12 }, (_, index) =>
  String(index).padEnd(200, "x"),
);
const records: ResourceRecord[] = [
  { type: "A", name: "host.test", ttl: 60, data: "192.0.2.1" },
  { type: "TXT", name: "middle.test", ttl: 60, data: longText.slice(0, 5) },
  { type: "TXT", name: "long.test", ttl: 60, data: longText },
];
const zone = new Zone(
  { type: "SOA", name: "test", ttl: 60, data: { mname: "n", rname: "r" } },
  records,
);
const resolve = (name: string, type: string) =>
  authoritativeReply([zone], name, type);
const log = new QueryLog();
let server: DnsServer;

beforeAll(async () => {
  const address = "127.0.0.1";
  server = await startDnsServer({
    address,
    port: 0,
    resolve,
    recursive: false,
    log,
  });
});
afterAll(() => {
  server.close();
});

function query(
  name: string,
  type: "A" | "TXT" | "AXFR",
  size?: number,
): Packet {
  return {
    type: "query",
    id: 4711,
    flags: RECURSION_DESIRED,
    questions: [{ name, type }],
    additionals:
      size === undefined
        ? []
        : [
            {
              type: "OPT",
              name: ".",
              udpPayloadSize: size,
              extendedRcode: 0,
              ednsVersion: 0,
              flags: 0,
              flag_do: false,
              options: [],
            },
          ],
  };
}

async function byUdp(packet: Packet): Promise<DecodedPacket> {
  const socket = createSocket("udp4");
  socket.send(encode(packet), server.port, "127.0.0.1");
  const [message] = (await once(socket, "message")) as [Buffer];
  socket.close();
  return decode(message);
}

describe("over UDP", () => {
  it("answers with the asker's own spelling and id", async () => {
    const reply = await byUdp(query("hOsT.TeSt", "A"));
    expect(reply).toMatchObject({
      id: 4711,
      flag_qr: true,
      flag_aa: true,
      flag_rd: true,
      flag_ra: false,
      questions: [{ name: "hOsT.TeSt" }],
      answers: [{ name: "hOsT.TeSt", data: "192.0.2.1" }],
    });
    expect(log.list().at(-1)).toMatchObject({ name: "hOsT.TeSt", rcode: 0 });
  });

  it.each([
    ["middle.test", undefined, true],
    ["middle.test", 400, true],
    ["middle.test", 4096, false],
    ["long.test", 4096, true],
  ])("%s, room for %s bytes: truncated %s", async (name, size, truncated) => {
    const reply = await byUdp(query(name, "TXT", size));
    expect(reply.flag_tc).toBe(truncated);
    expect(reply.answers?.length).toBe(truncated ? 0 : 1);
    const opt = reply.additionals?.some(({ type }) => type === "OPT");
    expect(opt).toBe(size !== undefined);
  });
});

it("answers several queries on one TCP connection, in pieces", async () => {
  const socket = connect(server.port, "127.0.0.1");
  const stream = Buffer.concat([
    streamEncode(query("long.test", "TXT")),
    streamEncode({ ...query("host.test", "A"), id: 2 }),
  ]);
  socket.setNoDelay(true);
  socket.write(stream.subarray(0, 1));
  await new Promise((done) => setTimeout(done, 20));
  socket.write(stream.subarray(1, 30));
  await new Promise((done) => setTimeout(done, 20));
  socket.end(stream.subarray(30));
  const received = await buffer(socket);
  const end = 2 + received.readUInt16BE(0);
  const first = decode(received.subarray(2, end));
  const second = decode(received.subarray(end + 2));
  expect(first).toMatchObject({ flag_tc: false });
  expect(first.answers?.[0]).toMatchObject({
    data: longText.map((text) => Buffer.from(text)),
  });
  expect(second).toMatchObject({ id: 2, answers: [{ data: "192.0.2.1" }] });
});

describe("a message", () => {
  const answer = (message: Buffer) =>
    answerMessage(message, { resolve, recursive: true, transport: "udp" });
  const rcodeOf = (packet: Packet) => answer(encode(packet))?.rcode;

  it("says that it resolves for anyone, if it does", () => {
    const reply = answer(encode(query("host.test", "A")));
    expect(decode(reply?.bytes ?? Buffer.of())).toMatchObject({
      flag_ra: true,
    });
  });

  it.each<[string, Packet, number]>([
    ["no question", { type: "query", id: 1 }, 1],
    [
      "two questions",
      {
        type: "query",
        questions: [
          { name: "a.test", type: "A" },
          { name: "b.test", type: "A" },
        ],
      },
      1,
    ],
    ["another opcode", { ...query("host.test", "A"), flags: 4 << 11 }, 4],
    ["a transfer", query("test", "AXFR"), 5],
    [
      "another class",
      {
        type: "query",
        questions: [{ name: "version.bind", type: "TXT", class: "CH" }],
      },
      5,
    ],
    ["another zone", query("elsewhere", "A"), 5],
    ["nothing there", query("nope.test", "A"), 3],
  ])("%s: code %s", (_, packet, rcode) => {
    expect(rcodeOf(packet)).toBe(rcode);
  });

  it("refuses a newer EDNS", () => {
    const packet = query("host.test", "A", 1232);
    const opt = { ...packet.additionals?.[0], ednsVersion: 1 };
    const message = encode({ ...packet, additionals: [opt as never] });
    const reply = decode(answer(message)?.bytes ?? Buffer.of());
    expect(reply.answers).toEqual([]);
    expect(reply.additionals).toMatchObject([{ extendedRcode: 1 }]);
  });

  it("is no answer to an answer, nor to junk", () => {
    expect(answer(Buffer.of(1, 2, 3))).toBeUndefined();
    const response = encode({ ...query("host.test", "A"), type: "response" });
    expect(answer(response)).toBeUndefined();
  });

  it("survives whatever comes", () => {
    const good = encode(query("host.test", "A", 1232));
    for (let turn = 0; turn < 500; turn++) {
      const message = turn % 2 === 0 ? randomBytes(64) : Buffer.from(good);
      message.writeUInt8(0, 2);
      message.writeUInt8(turn & 0xff, 12 + (turn % (message.length - 12)));
      expect(() => answer(message)).not.toThrow();
    }
  });
});
