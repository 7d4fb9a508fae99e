/** An answer that begins, and loses its connection: for tests of what stands between. */
import type { Context } from "hono";
import { stream } from "hono/streaming";
import { setTimeout as sleep } from "node:timers/promises";
import type { WebEnv } from "./echo.ts";

export function brokenOff(context: Context<WebEnv>): Response {
  const { incoming } = context.env;
  return stream(context, async (body) => {
    await body.write("the beginning");
    await sleep(200);
    // A stream that is only closed would end in good order.
    const connection =
      "stream" in incoming ? incoming.stream.session : incoming.socket;
    connection?.destroy();
  });
}
