import { createConnection } from "node:net";

/**
 * Sends a command to a program's unix socket, and returns all that it answers
 * until it ends the connection.
 * @param patience how long it may stay silent, in milliseconds
 * @throws Error when nobody listens there, or nothing comes for that long
 */
export function exchange(
  path: string,
  command: string,
  patience: number,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path);
    const chunks: Buffer[] = [];
    socket.setTimeout(patience, () => {
      const [firstLine = ""] = command.split("\n", 1);
      const seconds = String(patience / 1_000);
      socket.destroy(
        new Error(`no answer to "${firstLine}" at ${path} for ${seconds} s`),
      );
    });
    socket.on("connect", () => {
      socket.write(command);
    });
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("error", reject);
    socket.on("end", () => {
      resolve(Buffer.concat(chunks).toString());
    });
  });
}
