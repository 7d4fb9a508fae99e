/** Failures on demand: what a client meets on a bad day at Cloudflare. */
import type { MiddlewareHandler } from "hono";
import * as z from "zod";
import { CloudflareRefusal } from "./refusal.ts";

export const faultsSchema = z.strictObject({
  /** How many calls of the API fail from now on. */
  count: z.int().min(0),
  status: z.int().min(400).max(599),
  /** In seconds; the header Retry-After, if any. */
  retryAfter: z.int().min(0).optional(),
  /** Only calls that name this in their address or body; all when absent. */
  about: z.string().optional(),
});

export type Faults = z.infer<typeof faultsSchema>;

export class FaultInjection {
  planned: Faults = { count: 0, status: 500 };

  /** Fails a call as long as some are planned. */
  readonly middleware: MiddlewareHandler = async (context, next) => {
    const { count, status, retryAfter, about } = this.planned;
    if (count === 0) return next();
    if (about !== undefined) {
      const call = `${context.req.url} ${await context.req.text()}`;
      if (!call.includes(about)) return next();
    }
    this.planned = { ...this.planned, count: count - 1 };
    if (retryAfter !== undefined) {
      context.header("retry-after", String(retryAfter));
    }
    // What fails before it reaches the API is a line of plain text.
    if (status >= 500) {
      return context.text(`error code: ${String(status)}`, status as 500);
    }
    throw status === 429
      ? new CloudflareRefusal(
          429,
          10_100,
          "More than 1200 requests per 300 seconds reached. Please wait and consider throttling your request speed",
        )
      : new CloudflareRefusal(status as 400, 10_000, "Authentication error");
  };
}
