/**
 * A git repository of one branch without objects, by git's dumb protocol
 * (gitprotocol-http(5)): enough for `git ls-remote`. Real API hosts hold none;
 * here one lets git too be sent through an inspected host.
 */
import { Hono } from "hono";
import type { WebEnv } from "./echo.ts";

const branch = "refs/heads/main";
const commit = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

export function gitRepository(): Hono<WebEnv> {
  const app = new Hono<WebEnv>();
  app.get("/info/refs", (context) => context.text(`${commit}\t${branch}\n`));
  app.get("/HEAD", (context) => context.text(`ref: ${branch}\n`));
  return app;
}
