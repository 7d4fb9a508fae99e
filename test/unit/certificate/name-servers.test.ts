import packet from "dns-packet";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import {
  type NameServer,
  waitForRecord,
} from "../../../infra/certificate/name-servers.ts";

const name = "_acme-challenge.example.net";

/** An authoritative server; `values` is asked at each question. */
async function nameServer(
  server: string,
  values: () => readonly string[],
): Promise<NameServer> {
  const socket = createSocket("udp4");
  socket.on("message", (message, client) => {
    const { id, questions } = packet.decode(message);
    const answers = values().map((data) => ({
      type: "TXT" as const,
      name,
      ttl: 60,
      data,
    }));
    const flags = packet.AUTHORITATIVE_ANSWER;
    const reply = packet.encode({
      type: "response",
      ...(id !== undefined && { id }),
      ...(questions && { questions }),
      flags,
      answers,
    });
    socket.send(reply, client.port, client.address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  onTestFinished(() => void socket.close());
  const address = `127.0.0.1:${String(socket.address().port)}`;
  return { name: server, addresses: [address] };
}

test("waits for the last server, and for every value", async () => {
  let asked = 0;
  const servers = [
    await nameServer("first", () => ["b", "a", "other"]),
    await nameServer("second", () => (++asked < 3 ? ["a"] : ["a", "b"])),
  ];
  await waitForRecord(servers, "TXT", name, ["a", "b"]);
  expect(asked).toBe(3);
});

test("names the servers that lag when the time is over", async () => {
  const servers = [
    await nameServer("first", () => ["a"]),
    await nameServer("second", () => []),
    await nameServer("third", () => ["old"]),
    { name: "fourth", addresses: [] },
  ];
  await expect(
    waitForRecord(servers, "TXT", name, ["a"], { limit: 100 }),
  ).rejects.toThrow(
    `After 0.1 s not every name server has the new TXT record ${name}: second answers that there is none; third answers old; fourth has no address`,
  );
});

test("takes a server's other address when the first is dead", async () => {
  const { addresses } = await nameServer("first", () => ["a"]);
  const server = { name: "first", addresses: ["127.0.0.1:1", ...addresses] };
  await waitForRecord([server], "TXT", name, ["a"]);
});

test("can be stopped", async () => {
  const servers = [await nameServer("first", () => [])];
  const signal = AbortSignal.timeout(50);
  await expect(
    waitForRecord(servers, "TXT", name, ["a"], { signal }),
  ).rejects.toMatchObject({ name: "AbortError" });
});
