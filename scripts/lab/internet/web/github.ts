/** Stand-in of api.github.com. */
import { type Context, Hono } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { type WebEnv, echo, events } from "./echo.ts";

const documentation = "https://docs.github.com/rest";

export function gitHub(): Hono<WebEnv> {
  const app = new Hono<WebEnv>();
  app.use(async (context, next) => {
    if ((context.req.header("user-agent") ?? "") !== "") return next();
    return context.text(
      "\r\nRequest forbidden by administrative rules. Please make sure your request has a User-Agent header (https://docs.github.com/en/rest/overview/resources-in-the-rest-api#user-agent-required). Check https://developer.github.com for other possible causes.\r\n",
      403,
    );
  });
  app.get("/", (context) =>
    context.json({
      current_user_url: "https://api.github.com/user",
      emojis_url: "https://api.github.com/emojis",
      rate_limit_url: "https://api.github.com/rate_limit",
    }),
  );
  app.get("/zen", (context) => context.text("Keep it logically awesome."));
  app.get("/user", (context) => {
    const isKeyed = context.req.header("authorization") !== undefined;
    return problem(
      context,
      401,
      isKeyed ? "Bad credentials" : "Requires authentication",
    );
  });
  app.all("/echo", echo);
  app.get("/sse", events);
  app.notFound((context) => problem(context, 404, "Not Found"));
  return app;
}

function problem(
  context: Context,
  status: ContentfulStatusCode,
  message: string,
): Response {
  return context.json(
    { message, documentation_url: documentation, status: String(status) },
    status,
  );
}
