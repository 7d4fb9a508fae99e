/** Live state from Secrets Manager, when nobody answers. */
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { SecretsManagerReader } from "../../../../infra/machine/store/secrets-manager.ts";

/** Takes every connection, and says nothing. */
const silent = createServer((socket) => {
  socket.on("error", () => undefined);
});

beforeEach(async () => {
  await once(silent.listen(0, "127.0.0.1"), "listening");
  const { port } = silent.address() as AddressInfo;
  vi.stubEnv("AWS_ENDPOINT_URL", `http://127.0.0.1:${String(port)}`);
  vi.stubEnv("AWS_ACCESS_KEY_ID", "stand-in");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "stand-in");
});
afterEach(() => {
  vi.unstubAllEnvs();
  silent.close();
});

test("a request that nobody answers ends: the next poll asks again", async () => {
  const state = new SecretsManagerReader("eu-central-1", "a/", ["b.json"]);
  await expect(state.read("b.json")).rejects.toThrow();
}, 12_000);
