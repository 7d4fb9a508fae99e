import type { Http2Bindings, HttpBindings } from "@hono/node-server";
import type { Context, Env } from "hono";
import { stream, streamSSE } from "hono/streaming";
import { setTimeout as sleep } from "node:timers/promises";

/** Node's own request and answer, beside Hono's. */
export interface WebEnv extends Env {
  Bindings: HttpBindings | Http2Bindings;
}

/**
 * Says what arrived: for tests of what stands between. Also in headers, with
 * `?name` even in the name of one, and with `?pieces` the body byte by byte,
 * each a packet of its own; with `?redirect=URL` sends the client there.
 */
export async function echo(context: Context<WebEnv>): Promise<Response> {
  const { incoming, outgoing } = context.env;
  const said = JSON.stringify({
    method: incoming.method,
    /** As it came, not made canonical. */
    path: incoming.url,
    httpVersion: incoming.httpVersion,
    headers: incoming.headers,
    bodyBytes: await bodySize(context.req.raw),
  });
  context.header("content-type", "application/json");
  const heard = context.req.header("authorization") ?? "";
  context.header("x-echo", `heard ${heard}`);
  // Two lines of one name; a Response would make one of them.
  outgoing.setHeader("x-echo-lines", ["heard", heard]);
  if (context.req.query("name") !== undefined) {
    outgoing.setHeader(`x-${heard.split(" ").at(-1) ?? ""}`, "heard");
  }
  context.header("set-cookie", "session=of-the-account; Path=/");
  const elsewhere = context.req.query("redirect");
  if (elsewhere !== undefined) return context.redirect(elsewhere);
  if (context.req.query("pieces") === undefined) return context.body(said);
  return stream(context, async (pieces) => {
    for (const piece of said) {
      await pieces.write(piece);
      await sleep(1);
    }
  });
}

/** Reads a body to its end without keeping it. @returns its size in bytes */
export async function bodySize(request: Request): Promise<number> {
  const body: ReadableStream<Uint8Array> | null = request.body;
  const reader = body?.getReader();
  for (let size = 0; ;) {
    const piece = await reader?.read();
    if (!piece || piece.done) return size;
    size += piece.value.byteLength;
  }
}

/** Events for as long as somebody listens, two a second. */
export function events(context: Context<WebEnv>): Response {
  return streamSSE(context, async (stream) => {
    for (let id = 0; !stream.aborted; id++) {
      await stream.writeSSE({ id: String(id), data: new Date().toISOString() });
      await sleep(500);
    }
  });
}
