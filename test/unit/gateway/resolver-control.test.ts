/** How the agent speaks with unbound, over the socket of a server that stands in for it. */
import { once } from "node:events";
import { type Server, createServer } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { resolverControl } from "../../../infra/gateway/resolver-control.ts";
import { temporaryDirectory } from "../temporary.ts";

let server: Server;
let socket: string;
let received: string;
/** What it answers, in the parts that it comes in. */
let answers: readonly string[];

beforeEach(async () => {
  received = "";
  answers = ["ok\n"];
  server = createServer((connection) => {
    connection.on("data", (chunk) => {
      received += String(chunk);
      for (const part of answers) connection.write(part);
      connection.end();
    });
  });
  socket = join(await temporaryDirectory(), "resolver.ctl");
  await once(server.listen(socket), "listening");
});
afterEach(() => {
  server.close();
});

test("a command is a line; the answer is all that comes until its end", async () => {
  answers = ["a. static\n", "b. redirect\n"];
  expect(await resolverControl("list_local_zones", undefined, socket)).toBe(
    "a. static\nb. redirect\n",
  );
  expect(received).toBe("UBCT1 list_local_zones\n");
});

test("a list ends with a line of EOT, or unbound waits for more", async () => {
  await resolverControl("local_zones", "a. static\nb. static\n", socket);
  expect(received).toBe("UBCT1 local_zones\na. static\nb. static\n\u0004\n");
});

test("a refusal is an error, in unbound's words", async () => {
  answers = ["error parsing local-zone\n"];
  await expect(resolverControl("local_zones", "x\n", socket)).rejects.toThrow(
    "the sandboxes' resolver: error parsing local-zone",
  );
});

test("one that does not run is an error, and which program it is", async () => {
  server.close();
  await expect(
    resolverControl("list_local_data", undefined, `${socket}.not`),
  ).rejects.toThrow(/^the sandboxes' resolver: connect ENOENT .*resolver\.ctl/);
});

test("one that ends without a word says nothing", async () => {
  answers = [];
  expect(await resolverControl("list_local_data", "", socket)).toBe("");
});
