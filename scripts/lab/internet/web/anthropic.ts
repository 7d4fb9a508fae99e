/** Stand-in of api.anthropic.com: messages, and files, the known way out. */
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type Context, Hono } from "hono";
import { streamSSE } from "hono/streaming";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import * as z from "zod";
import { type WebEnv, bodySize, echo, events } from "./echo.ts";

/**
 * `max_tokens`, and the header `anthropic-version`, may be missing, unlike at
 * the real one: the lab's probes send a body of OpenAI's form to both hosts.
 */
const messagesRequest = z.object({
  model: z.string({ error: "Field required" }).min(1),
  messages: z
    .array(z.looseObject({ role: z.string(), content: z.unknown() }), {
      error: "Field required",
    })
    .min(1),
  stream: z.boolean().nullish(),
});

type MessagesRequest = z.infer<typeof messagesRequest>;

/** Between two pieces of a stream, in ms. */
const pause = 100;

export function anthropic(): Hono<WebEnv> {
  const app = new Hono<WebEnv>();
  app.all("/v1/echo", echo);
  app.get("/v1/sse", events);
  app.use(async (context, next) => {
    const isKeyed =
      (context.req.header("x-api-key") ?? "") !== "" ||
      /^Bearer .+/.test(context.req.header("authorization") ?? "");
    if (isKeyed) return next();
    return problem(
      context,
      401,
      "authentication_error",
      "x-api-key header is required",
    );
  });
  app.post("/v1/messages", messages);
  app.post("/v1/files", async (context) =>
    context.json({
      id: id("file"),
      type: "file",
      filename: "upload",
      mime_type: "application/octet-stream",
      // Of the whole body, form and all.
      size_bytes: await bodySize(context.req.raw),
      created_at: new Date().toISOString(),
      downloadable: false,
    }),
  );
  app.notFound((context) =>
    problem(context, 404, "not_found_error", "Not Found"),
  );
  return app;
}

async function messages(context: Context<WebEnv>): Promise<Response> {
  const body: unknown = await context.req.json().catch(() => undefined);
  const request = messagesRequest.safeParse(body);
  if (!request.success) {
    const [issue] = request.error.issues;
    const reason =
      issue && issue.path.length > 0
        ? `${issue.path.join(".")}: ${issue.message}`
        : "The request body is not valid JSON";
    return problem(context, 400, "invalid_request_error", reason);
  }
  return request.data.stream === true
    ? streamed(context, request.data)
    : context.json(message(request.data));
}

function message(request: MessagesRequest) {
  const words = wordsFor(request);
  return {
    ...head(request),
    content: [{ type: "text", text: words.join("") }],
    stop_reason: "end_turn",
    usage: { input_tokens: 1, output_tokens: words.length },
  };
}

function streamed(
  context: Context<WebEnv>,
  request: MessagesRequest,
): Response {
  const words = wordsFor(request);
  return streamSSE(context, async (stream) => {
    const send = (event: string, data: object) =>
      stream.writeSSE({
        event,
        data: JSON.stringify({ type: event, ...data }),
      });
    await send("message_start", {
      message: {
        ...head(request),
        content: [],
        stop_reason: null,
        usage: { input_tokens: 1, output_tokens: 1 },
      },
    });
    await send("content_block_start", {
      index: 0,
      content_block: { type: "text", text: "" },
    });
    await send("ping", {});
    for (const text of words) {
      await sleep(pause);
      await send("content_block_delta", {
        index: 0,
        delta: { type: "text_delta", text },
      });
    }
    await send("content_block_stop", { index: 0 });
    await send("message_delta", {
      delta: { stop_reason: "end_turn", stop_sequence: null },
      usage: { output_tokens: words.length },
    });
    await send("message_stop", {});
  });
}

function head({ model }: MessagesRequest) {
  return {
    id: id("msg"),
    type: "message",
    role: "assistant",
    model,
    stop_sequence: null,
  };
}

function wordsFor({ messages }: MessagesRequest): string[] {
  const asked = messages.at(-1)?.content;
  const text = typeof asked === "string" ? asked : JSON.stringify(asked);
  return `A stand-in of Anthropic heard: ${text}`.split(/(?<= )/);
}

function problem(
  context: Context,
  status: ContentfulStatusCode,
  type: string,
  message: string,
): Response {
  const error = { type, message };
  return context.json({ type: "error", error, request_id: id("req") }, status);
}

function id(kind: string): string {
  return `${kind}_${randomBytes(12).toString("hex")}`;
}
