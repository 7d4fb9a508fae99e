/**
 * A whole Cloudflare Worker that talks to sandboxes. Its one binding is a
 * secret with the stack's outputs:
 *   npm run --silent outputs -- --stack signed --show-secrets | wrangler secret put DAYTONA_EDGE
 *
 * POST /sandboxes/{id}/answer   JSON in, JSON out
 * GET  /sandboxes/{id}/chat     an answer that streams, as server-sent events
 * GET  /sandboxes/{id}/socket   a WebSocket, both ways
 */
import { SandboxError, readOutputs, sandboxFetch } from "daytona-edge/client";

interface Env {
  readonly DAYTONA_EDGE: string;
}

/** Where the application in the sandbox listens. */
const port = 3000;

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const outputs = readOutputs(env.DAYTONA_EDGE);
    const { pathname, searchParams } = new URL(request.url);
    const [, kind, sandbox = "", action] = pathname.split("/");
    if (kind !== "sandboxes") return new Response("not found", { status: 404 });
    // Your own users' sessions are checked here, before anything is signed.
    const token = searchParams.get("token");
    const options = token === null ? {} : { token };

    try {
      switch (action) {
        case "answer":
          return await sandboxFetch(
            outputs,
            { sandbox, port, path: "/headers" },
            {
              method: "POST",
              headers: { "Content-Type": "application/json" },
              body: await request.text(),
            },
            options,
          );
        case "chat":
          // The body is handed on as it comes: nothing waits for its end.
          return await sandboxFetch(
            outputs,
            { sandbox, port, path: `/sse?interval=300&count=4` },
            { headers: { Accept: "text/event-stream" } },
            options,
          );
        case "socket":
          // Workers hand a WebSocket on by handing its answer on.
          return await sandboxFetch(
            outputs,
            { sandbox, port, path: "/ws" },
            { headers: { Upgrade: "websocket" } },
            options,
          );
        default:
          return new Response("not found", { status: 404 });
      }
    } catch (error) {
      if (!(error instanceof SandboxError)) throw error;
      const { code, message, requestId, retryAfterSeconds } = error;
      return Response.json(
        { code, message, requestId },
        {
          status: code === "rate_limited" ? 429 : 502,
          headers:
            retryAfterSeconds === undefined
              ? {}
              : { "Retry-After": String(retryAfterSeconds) },
        },
      );
    }
  },
};
