/**
 * The lab's own endpoints: what its internet saw, and bad days on demand. They
 * stand below `/__lab` of Cloudflare's stand-in, behind the same token.
 */
import { Hono } from "hono";
import * as z from "zod";
import { type FaultInjection, faultsSchema } from "./cloudflare/faults.ts";
import type { QueryLog } from "./dns/query-log.ts";
import type { ZoneReplica } from "./dns/replica.ts";
import type { RequestLog } from "./web/request-log.ts";

export interface ControlArgs {
  readonly requests: RequestLog;
  readonly queries: QueryLog;
  readonly faults: FaultInjection;
  /** By the name of the name server that has it. */
  readonly replicas: Readonly<Record<string, ZoneReplica>>;
}

const lagSchema = z.strictObject({
  /** In ms. */
  lag: z.int().min(0).max(3_600_000),
});

export function controlApi(args: ControlArgs): Hono {
  const { requests, queries, faults, replicas } = args;
  const app = new Hono({ strict: false });
  app.onError((error, context) => {
    if (error instanceof z.ZodError) {
      return context.json({ error: z.prettifyError(error) }, 400);
    }
    if (error instanceof SyntaxError) {
      return context.json({ error: "The body is not valid JSON" }, 400);
    }
    throw error;
  });

  app.get("/requests", (context) => context.json(requests.byHost()));
  app.delete("/requests", (context) => {
    requests.clear();
    return context.body(null, 204);
  });

  app.get("/queries", (context) => {
    const { name, server } = context.req.query();
    const found = queries
      .list()
      .filter(
        (query) =>
          (name === undefined || query.name.toLowerCase() === name) &&
          (server === undefined || query.server === server),
      );
    return context.json(found);
  });
  app.delete("/queries", (context) => {
    queries.clear();
    return context.body(null, 204);
  });

  app.get("/name-servers", (context) =>
    context.json(
      Object.entries(replicas).map(([name, { lag }]) => ({ name, lag })),
    ),
  );
  app.put("/name-servers/:name", async (context) => {
    const { name } = context.req.param();
    const replica = replicas[name];
    if (!replica) {
      const known = Object.keys(replicas).join(", ");
      return context.json({ error: `No name server ${name}; ${known}` }, 404);
    }
    replica.lag = lagSchema.parse(await context.req.json()).lag;
    return context.json({ name, lag: replica.lag });
  });

  app.get("/failures", (context) => context.json(faults.planned));
  app.put("/failures", async (context) => {
    faults.planned = faultsSchema.parse(await context.req.json());
    return context.json(faults.planned);
  });
  return app;
}
