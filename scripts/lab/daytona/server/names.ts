import { type Answer, decode, encode } from "dns-packet";
import { type Socket, createSocket } from "node:dgram";
import type { Sandboxes } from "./sandboxes.ts";

/**
 * Names running sandboxes by their id, as Docker's own resolver does for the
 * containers of a runner. Everything else does not exist.
 */
export function createNames(sandboxes: Sandboxes): Socket {
  const socket = createSocket("udp4");
  socket.on("message", (message, client) => {
    const { id = 0, questions = [] } = decode(message);
    const [question] = questions;
    const address = addressOf(question?.name.toLowerCase() ?? "", sandboxes);
    const answers: Answer[] =
      address !== undefined && question?.type === "A"
        ? [{ type: "A", name: question.name, ttl: 1, data: address }]
        : [];
    const reply = encode({
      type: "response",
      id,
      questions,
      // 3 is NXDOMAIN.
      flags: address === undefined ? 3 : 0,
      answers,
    });
    socket.send(reply, client.port, client.address);
  });
  return socket;
}

function addressOf(name: string, sandboxes: Sandboxes): string | undefined {
  const record = sandboxes.find(name);
  return record?.state === "started"
    ? sandboxes.runtime.toolbox(record).host
    : undefined;
}
