/** Bytes over TLS that no client library would send. */
import { connect } from "node:tls";

export interface Exchange {
  /** All that came back until the edge closed, or until nothing more came. */
  readonly text: string;
  readonly milliseconds: number;
}

/** How long an edge may keep such a connection, in milliseconds. */
const limit = 20_000;

/**
 * Sends bytes and collects what comes back.
 * @param pieces sent one after another
 * @param options.endsFirst says farewell once an answer has begun, and waits on
 * @throws Error when the edge does not end it
 */
export function exchange(
  host: string,
  pieces: readonly string[],
  options: { readonly endsFirst?: boolean } = {},
): Promise<Exchange> {
  const start = performance.now();
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port: 443,
      servername: host,
    });
    let text = "";
    const end = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ text, milliseconds: performance.now() - start });
    };
    const timer = setTimeout(() => {
      socket.destroy();
      reject(
        new Error(`not closed within ${String(limit / 1_000)} s; got: ${text}`),
      );
    }, limit);
    socket.on("secureConnect", () => {
      for (const piece of pieces) socket.write(piece);
    });
    socket.on("data", (data: Buffer) => {
      if (text === "" && options.endsFirst) socket.end();
      text += data.toString("latin1");
    });
    socket.on("end", end);
    socket.on("close", end);
    socket.on("error", (error: Error) => {
      if (text !== "") end();
      else {
        clearTimeout(timer);
        reject(error);
      }
    });
  });
}
