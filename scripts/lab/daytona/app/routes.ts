import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { hostname } from "node:os";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { patternBytes } from "./pattern.ts";

type Handler = (
  request: IncomingMessage,
  response: ServerResponse,
  query: URLSearchParams,
) => void | Promise<void>;

/** The paths of the app; whatever is not here is a 404. */
export const routes: Record<string, Handler> = {
  "/": (request, response) => {
    const port = request.socket.localPort ?? 0;
    json(response, { hello: "from the sandbox", sandbox: hostname(), port });
  },

  "/headers": ({ method, url, httpVersion, headers, rawHeaders }, response) => {
    json(response, { method, url, httpVersion, headers, rawHeaders });
  },

  /** Server-sent events: `?interval=ms&count=n`, without a count for ever. */
  "/sse": async (_request, response, query) => {
    const interval = numberOf(query, "interval", 1000);
    const count = numberOf(query, "count", Infinity);
    response.writeHead(200, {
      "Content-Type": "text/event-stream",
      "Cache-Control": "no-store",
    });
    for (let event = 0; event < count && !response.destroyed; event++) {
      if (event > 0) await sleep(interval);
      response.write(
        `id: ${String(event)}\ndata: {"event":${String(event)}}\n\n`,
      );
    }
    response.end();
  },

  /** Not one byte for `?seconds=n`. */
  "/silent": async (_request, response, query) => {
    const seconds = numberOf(query, "seconds", 60);
    await sleep(seconds * 1000);
    json(response, { silentFor: seconds });
  },

  "/upload": async (request, response) => {
    const hash = createHash("sha256");
    let bytes = 0;
    for await (const chunk of request as AsyncIterable<Buffer>) {
      hash.update(chunk);
      bytes += chunk.length;
    }
    json(response, { bytes, sha256: hash.digest("hex") });
  },

  /** `?bytes=n` of the app's pattern. */
  "/download": async (_request, response, query) => {
    const bytes = numberOf(query, "bytes", 1024);
    response.writeHead(200, {
      "Content-Type": "application/octet-stream",
      "Content-Length": String(bytes),
    });
    await pipeline(Readable.from(patternBytes(bytes)), response);
  },

  /** One cookie for this host only and one, `?name=`, for `?domain=` and below. */
  "/cookie": (request, response, query) => {
    const domain = query.get("domain") ?? "example.org";
    const name = query.get("name") ?? "wide";
    response.setHeader("Set-Cookie", [
      "host-only=1; Path=/; HttpOnly",
      `${name}=1; Path=/; Domain=${domain}`,
    ]);
    json(response, { received: request.headers.cookie ?? "" });
  },

  /** Whatever answer is asked for: `?status=`, `?type=`, `?body=`, and `?field=` with `?value=`. */
  "/answer": (_request, response, query) => {
    const type = query.get("type");
    if (type !== null) response.setHeader("Content-Type", type);
    const field = query.get("field");
    if (field !== null) response.setHeader(field, query.get("value") ?? "");
    response.statusCode = numberOf(query, "status", 200);
    response.end(query.get("body") ?? "");
  },

  /** To `?to=`, else to the address the app believes to be its own; `?status=`. */
  "/redirect": (request, response, query) => {
    const own = `http://${request.headers.host ?? "localhost"}/headers`;
    const status = numberOf(query, "status", 302);
    response.writeHead(status, { Location: query.get("to") ?? own }).end();
  },
};

/** Answers one request. */
export async function handle(
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = request.url ?? "/";
  const mark = url.indexOf("?");
  const path = mark === -1 ? url : url.slice(0, mark);
  const query = new URLSearchParams(mark === -1 ? "" : url.slice(mark + 1));
  const status = /^\/status\/([2-5][0-9]{2})$/.exec(path)?.[1];
  if (status !== undefined) json(response, { status }, Number(status));
  else if (Object.hasOwn(routes, path)) {
    await routes[path]?.(request, response, query);
  } else json(response, { notFound: url }, 404);
}

function json(response: ServerResponse, body: unknown, status = 200): void {
  response.statusCode = status;
  response.setHeader("Content-Type", "application/json");
  response.end(`${JSON.stringify(body)}\n`);
}

function numberOf(
  query: URLSearchParams,
  name: string,
  otherwise: number,
): number {
  const value = Number(query.get(name) ?? otherwise);
  return value >= 0 ? value : otherwise;
}
