/** Stand-in of openrouter.ai: its API below `/api/v1`, and a web page. */
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type Context, Hono } from "hono";
import { streamSSE } from "hono/streaming";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import * as z from "zod";
import { brokenOff } from "./broken-off.ts";
import { type WebEnv, echo, events } from "./echo.ts";
import { gitRepository } from "./git.ts";

const chatRequest = z.object({
  model: z.string().min(1),
  messages: z
    .array(z.looseObject({ role: z.string(), content: z.unknown() }))
    .min(1),
  stream: z.boolean().nullish(),
});

type ChatRequest = z.infer<typeof chatRequest>;

/** Between two pieces of a stream, in ms. */
const pause = 100;
const models = ["anthropic/claude-sonnet-4", "openai/gpt-4o-mini"];

export function openRouter(): Hono<WebEnv> {
  const app = new Hono<WebEnv>();
  app.get("/", (context) =>
    context.html("<title>OpenRouter (stand-in)</title><h1>OpenRouter</h1>"),
  );
  app.get("/api/v1/models", (context) =>
    context.json({
      data: models.map((id) => ({ id, name: id, context_length: 200_000 })),
    }),
  );
  app.get("/api/v1/key", keyInformation);
  app.all("/api/v1/echo", echo);
  app.route("/api/v1/lab/repository.git", gitRepository());
  app.get("/api/v1/sse", events);
  app.get("/api/v1/broken-off", brokenOff);
  app.post("/api/v1/chat/completions", chatCompletion);
  app.all("/api/*", (context) => problem(context, 404, "Not Found"));
  return app;
}

/** Of the key that asks; its label is never the whole of it. */
function keyInformation(context: Context<WebEnv>): Response {
  const [, key] =
    /^Bearer (.+)/.exec(context.req.header("authorization") ?? "") ?? [];
  if (key === undefined) return unauthorized(context);
  const label = `${key.slice(0, 12)}...${key.slice(-3)}`;
  return context.json({
    data: {
      label,
      limit: 10,
      limit_remaining: 7.5,
      usage: 2.5,
      is_free_tier: false,
    },
  });
}

async function chatCompletion(context: Context<WebEnv>): Promise<Response> {
  if (!/^Bearer .+/.test(context.req.header("authorization") ?? "")) {
    return unauthorized(context);
  }
  const body: unknown = await context.req.json().catch(() => undefined);
  const request = chatRequest.safeParse(body);
  if (!request.success) return problem(context, 400, reasonOf(body));
  return request.data.stream === true
    ? streamed(context, request.data)
    : context.json(completion(request.data));
}

function reasonOf(body: unknown): string {
  if (typeof body !== "object" || body === null) return "Invalid JSON body";
  if (!("model" in body)) return "No models provided";
  return 'Input required: specify "prompt" or "messages"';
}

function completion(request: ChatRequest) {
  const content = wordsFor(request).join("");
  return {
    ...common(request, "chat.completion"),
    choices: [
      {
        index: 0,
        logprobs: null,
        finish_reason: "stop",
        native_finish_reason: "stop",
        message: { role: "assistant", content, refusal: null, reasoning: null },
      },
    ],
    usage: usage(request),
  };
}

function streamed(context: Context<WebEnv>, request: ChatRequest): Response {
  const head = common(request, "chat.completion.chunk");
  const chunk = (content: string, finish_reason: string | null) => ({
    ...head,
    choices: [
      {
        index: 0,
        delta: { role: "assistant", content },
        finish_reason,
        logprobs: null,
      },
    ],
  });
  return streamSSE(context, async (stream) => {
    const send = (data: object) =>
      stream.writeSSE({ data: JSON.stringify(data) });
    // A comment, which keeps the connection alive until the model answers.
    await stream.write(": OPENROUTER PROCESSING\n\n");
    for (const word of wordsFor(request)) {
      await sleep(pause);
      await send(chunk(word, null));
    }
    await send(chunk("", "stop"));
    await send({ ...chunk("", null), usage: usage(request) });
    await stream.writeSSE({ data: "[DONE]" });
  });
}

function common({ model }: ChatRequest, object: string) {
  return {
    id: `gen-${randomBytes(10).toString("hex")}`,
    provider: "Stand-in",
    model,
    object,
    created: Math.floor(Date.now() / 1000),
  };
}

function wordsFor({ messages }: ChatRequest): string[] {
  const asked = messages.at(-1)?.content;
  const text = typeof asked === "string" ? asked : JSON.stringify(asked);
  return `A stand-in of OpenRouter heard: ${text}`.split(/(?<= )/);
}

function usage(request: ChatRequest) {
  const completion_tokens = wordsFor(request).length;
  const prompt_tokens = request.messages.length;
  return {
    prompt_tokens,
    completion_tokens,
    total_tokens: prompt_tokens + completion_tokens,
  };
}

function unauthorized(context: Context): Response {
  return problem(context, 401, "No cookie auth credentials found");
}

function problem(
  context: Context,
  code: ContentfulStatusCode,
  message: string,
): Response {
  return context.json({ error: { message, code } }, code);
}
