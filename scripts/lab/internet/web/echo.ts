import type { Http2Bindings, HttpBindings } from "@hono/node-server";
import type { Context, Env } from "hono";

/** Node's own request and answer, beside Hono's. */
export interface WebEnv extends Env {
  Bindings: HttpBindings | Http2Bindings;
}

/** Says what arrived: for tests of what stands between. */
export async function echo(context: Context<WebEnv>): Promise<Response> {
  const { incoming } = context.env;
  return context.json({
    method: incoming.method,
    /** As it came, not made canonical. */
    path: incoming.url,
    httpVersion: incoming.httpVersion,
    headers: incoming.headers,
    bodyBytes: await bodySize(context.req.raw),
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
