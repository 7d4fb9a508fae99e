import { timingSafeEqual } from "node:crypto";
import type { MiddlewareHandler } from "hono";
import { CloudflareRefusal } from "./refusal.ts";

/**
 * Lets in whoever has the token. What the real API says to others depends on
 * how far it gets: no header, one of another form, a token that is none.
 */
export function requireToken(token: string): MiddlewareHandler {
  const expected = Buffer.from(token);
  return async (context, next) => {
    const header = context.req.header("authorization");
    if (header === undefined) {
      throw new CloudflareRefusal(
        400,
        9106,
        "Missing X-Auth-Key, X-Auth-Email or Authorization headers",
      );
    }
    const given = /^Bearer ([A-Za-z0-9_-]+)$/.exec(header)?.[1];
    if (given === undefined) {
      throw new CloudflareRefusal(400, 6003, "Invalid request headers", [
        { code: 6111, message: "Invalid format for Authorization header" },
      ]);
    }
    const actual = Buffer.from(given);
    const isRight =
      actual.length === expected.length && timingSafeEqual(actual, expected);
    if (!isRight) {
      // The records' own service has other words for it than the gateway.
      throw context.req.path.includes("/dns_records")
        ? new CloudflareRefusal(403, 10_000, "Authentication error")
        : new CloudflareRefusal(403, 9109, "Invalid access token");
    }
    await next();
  };
}
