/**
 * The web that sandboxes want to reach (stand-ins): the three APIs of the
 * request, and hosts that no sandbox may reach. They refuse what the real ones
 * refuse, as far as the lab's calls go.
 */
import { type Context, Hono } from "hono";
import { streamSSE } from "hono/streaming";
import type { HttpBindings } from "@hono/node-server";

type Web = Hono<{ Bindings: HttpBindings }>;
type Request = Context<{ Bindings: HttpBindings }>;

/** Pause between two events of a streamed answer, in milliseconds. */
const streamPause = 100;

const words = ["Hello", " from", " the", " lab", "."];

export function openRouter(): Web {
  const app: Web = new Hono();
  app.get("/", (context) =>
    context.html("<!doctype html><title>OpenRouter (stand-in)</title>"),
  );
  app.get("/api/v1/models", (context) =>
    context.json({ data: [{ id: "anthropic/claude-sonnet-4" }] }),
  );
  app.post("/api/v1/chat/completions", async (context) => {
    if (!context.req.header("authorization")?.startsWith("Bearer ")) {
      const error = { message: "No auth credentials found", code: 401 };
      return context.json({ error }, 401);
    }
    const request = await modelRequest(context);
    if (!request) {
      const error = { message: "Invalid request body", code: 400 };
      return context.json({ error }, 400);
    }
    const id = `gen-${String(Date.now())}`;
    const { model } = request;
    if (request.stream) {
      return streamSSE(context, async (stream) => {
        for (const content of words) {
          const choices = [{ index: 0, delta: { role: "assistant", content } }];
          const chunk = { id, object: "chat.completion.chunk", model, choices };
          await stream.writeSSE({ data: JSON.stringify(chunk) });
          await stream.sleep(streamPause);
        }
        await stream.writeSSE({ data: "[DONE]" });
      });
    }
    return context.json({
      id,
      object: "chat.completion",
      created: Math.floor(Date.now() / 1000),
      model,
      choices: [
        {
          index: 0,
          message: { role: "assistant", content: words.join("") },
          finish_reason: "stop",
        },
      ],
      usage: { prompt_tokens: 1, completion_tokens: 5, total_tokens: 6 },
    });
  });
  app.all("/api/v1/echo/*", echo);
  app.all("/api/v1/echo", echo);
  return app;
}

export function anthropic(): Web {
  const app: Web = new Hono();
  app.use(async (context, next) => {
    const key =
      context.req.header("x-api-key") ?? context.req.header("authorization");
    if (key) return next();
    return context.json(
      {
        type: "error",
        error: {
          type: "authentication_error",
          message: "x-api-key header is required",
        },
      },
      401,
    );
  });
  // The real one also wants anthropic-version and max_tokens. The lab sends
  // the same small body to all three hosts, so these two are not asked for.
  app.post("/v1/messages", async (context) => {
    const request = await modelRequest(context);
    if (!request) {
      const error = { type: "invalid_request_error", message: "Invalid body" };
      return context.json({ type: "error", error }, 400);
    }
    const message = {
      id: `msg_${String(Date.now())}`,
      type: "message",
      role: "assistant",
      model: request.model,
      content: [{ type: "text", text: words.join("") }],
      stop_reason: "end_turn",
      usage: { input_tokens: 1, output_tokens: 5 },
    };
    if (!request.stream) return context.json(message);
    return streamSSE(context, async (stream) => {
      for (const text of words) {
        const delta = { type: "text_delta", text };
        const data = JSON.stringify({ type: "content_block_delta", delta });
        await stream.writeSSE({ event: "content_block_delta", data });
        await stream.sleep(streamPause);
      }
      const data = JSON.stringify({ type: "message_stop" });
      await stream.writeSSE({ event: "message_stop", data });
    });
  });
  // The known way out for a stolen file: an upload with somebody's own key.
  app.post("/v1/files", async (context) => {
    const size = (await context.req.arrayBuffer()).byteLength;
    return context.json({ id: "file_lab", type: "file", size_bytes: size });
  });
  app.all("/v1/echo", echo);
  return app;
}

export function gitHub(): Web {
  const app: Web = new Hono();
  app.use(async (context, next) => {
    if (context.req.header("user-agent")) return next();
    return context.text(
      "Request forbidden by administrative rules. Please make sure your request has a User-Agent header.",
      403,
    );
  });
  app.get("/", (context) =>
    context.json({ current_user_url: "https://api.github.com/user" }),
  );
  app.get("/zen", (context) => context.text("Keep it logically awesome."));
  app.get("/user", (context) =>
    context.req.header("authorization")
      ? context.json({ login: "lab" })
      : context.json({ message: "Requires authentication" }, 401),
  );
  app.all("/echo", echo);
  return app;
}

/** A host that answers anybody: what a sandbox must never get to. */
export function stranger(name: string): Web {
  const app: Web = new Hono();
  app.all("*", (context) => context.text(`${name} (stand-in) was reached\n`));
  return app;
}

async function modelRequest(
  context: Request,
): Promise<{ model: string; stream: boolean } | undefined> {
  const body = await context.req
    .json<{ model?: unknown; messages?: unknown; stream?: unknown }>()
    .catch(() => undefined);
  if (typeof body?.model !== "string") return undefined;
  if (!Array.isArray(body.messages) || body.messages.length === 0) {
    return undefined;
  }
  return { model: body.model, stream: body.stream === true };
}

/** What arrived, byte for byte, as far as HTTP shows it. */
async function echo(context: Request) {
  const { incoming } = context.env;
  const size = (await context.req.arrayBuffer()).byteLength;
  return context.json({
    method: incoming.method,
    url: incoming.url,
    httpVersion: incoming.httpVersion,
    headers: incoming.headers,
    bodyBytes: size,
  });
}
