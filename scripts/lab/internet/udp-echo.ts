import { type Socket, createSocket } from "node:dgram";
import { once } from "node:events";

/** Sends every datagram back from the address that it came to. */
export async function startUdpEcho(
  address: string,
  port: number,
  onDatagram: () => void,
): Promise<Socket> {
  const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
  socket.on("message", (message, client) => {
    onDatagram();
    socket.send(message, client.port, client.address);
  });
  socket.bind(port, address);
  await once(socket, "listening");
  return socket;
}
