import { Hono } from "hono";

/** A host that has a page for every path. */
export function webPage(host: string): Hono {
  const app = new Hono();
  app.all("*", (context) =>
    context.html(`<title>${host}</title><h1>${host} (stand-in)</h1>`),
  );
  return app;
}
