/**
 * Daytona's proxy, asked from the edge's server: a firewall may be in between,
 * and no client is told by what.
 */
import * as z from "zod";
import type { ServerMachine } from "../deployments/host.ts";
import { json } from "../deployments/journal.ts";
import { type Row, bad, good, lookAt } from "./row.ts";

/** How long it may take to answer, in seconds. */
const limit = 10;

/**
 * What it answers to `GET /health` on any host that is no sandbox's: apps/proxy
 * of daytonaio/daytona, v0.190.0.
 */
const health = z.object({ status: z.literal("ok"), version: z.string() });

/** @param url of Daytona's proxy, as the edge has it */
export function daytonaProxyRows(
  edge: ServerMachine,
  url: string,
): Promise<Row[]> {
  return lookAt(
    `upstream ${url}`,
    async () =>
      daytonaProxyRow(
        url,
        edge.name,
        await edge.run(
          `curl --silent --show-error --noproxy '*' --max-time ${String(limit)} '${url}/health' 2>&1 || true`,
        ),
      ),
    `see the rows of ${edge.name}`,
  );
}

/**
 * @param from the server that asked
 * @param said the body of its answer, or why there is none in curl's words
 */
export function daytonaProxyRow(url: string, from: string, said: string): Row {
  const what = `upstream ${url}`;
  if (said.startsWith("curl: ")) {
    return bad(
      what,
      `from ${from}, ${said.trim()}`,
      `does it run (docker compose ps proxy, on Daytona's server), and may ${from} reach it? Each firewall in between is to let it: docs/host.md`,
    );
  }
  const answer = health.safeParse(json(said));
  return answer.success
    ? good(what, `Daytona ${answer.data.version}`)
    : bad(
        what,
        `answers, but not as Daytona's proxy: ${said.slice(0, 60)}`,
        "set upstream.url to the proxy's address; in Daytona's compose file it has port 4000, and its API 3000",
      );
}
