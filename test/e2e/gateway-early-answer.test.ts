/**
 * Request smuggling by a body that never comes, as early-answer.test.ts has it
 * for the edge: the gateway keeps connections to an inspected host, and every
 * sandbox's requests share them. Only HTTP/1.1 has no streams to tell them apart.
 *
 * @module-tag gateway
 */
import { beforeAll, beforeEach, expect, test } from "vitest";
import { webHosts } from "../../scripts/lab/internet/hosts.ts";
import type { SeenByHost } from "../../scripts/lab/internet/web/request-log.ts";
import {
  gateway,
  keepRules,
  request,
  rule,
  trustAgain,
} from "./gateway-rules.ts";
import { runInSandbox } from "./gateway-sandbox-program.ts";
import { askInternet } from "./internet.ts";

const host = webHosts.http1.name;

keepRules();

beforeAll(async () => {
  await rule([...request, { url: `https://${host}/*`, inspect: true }]);
  await trustAgain();
});

beforeEach(async () => {
  await askInternet("requests", "-X", "DELETE");
});

// One without a length is ended by HAProxy itself, with a last chunk.
test.each(["POST", "GET"])(
  "%s with a body that has a length",
  async (method) => {
    const rounds = 5;
    const statuses = await runInSandbox<number[]>(
      "reset-after-answer.ts",
      ...[host, gateway, "/etc/ssl/certs/ca-certificates.crt"],
      ...[String(rounds), method, "35"],
    );
    expect(statuses).toEqual(Array.from({ length: 2 * rounds }, () => 200));
    const seen = JSON.parse(await askInternet("requests")) as Record<
      string,
      SeenByHost
    >;
    const heads = seen[host]?.requests.map(
      (it) => `${it.method} ${it.path} HTTP/${it.httpVersion}`,
    );
    expect(heads).toEqual(
      Array.from({ length: rounds }, (_, round) => [
        `${method} /reset-${String(round)} HTTP/1.1`,
        `GET /next-${String(round)} HTTP/1.1`,
      ]).flat(),
    );
  },
);
