import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { exchange } from "../../../infra/machine/agent/exchange.ts";
import { temporaryDirectory } from "../temporary.ts";

test("a program that says nothing more is not waited for, and its command is named without its list", async () => {
  const server = createServer((connection) => {
    connection.write("half an ans");
  });
  const socket = join(await temporaryDirectory(), "silent.sock");
  await once(server.listen(socket), "listening");
  onTestFinished(() => {
    server.close();
  });
  await expect(
    exchange(socket, "set ssl cert c <<\nSECRET\n", 100),
  ).rejects.toThrow(`no answer to "set ssl cert c <<" at ${socket} for 0.1 s`);
});
