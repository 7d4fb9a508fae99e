/** Live state from Secrets Manager, as machines read it. */
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, type Server, createServer } from "node:net";
import {
  afterEach,
  beforeEach,
  expect,
  onTestFinished,
  test,
  vi,
} from "vitest";
import { SecretsManagerReader } from "../../../../infra/machine/store/secrets-manager.ts";

async function listen(server: Server): Promise<void> {
  await once(server.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => {
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  vi.stubEnv("AWS_ENDPOINT_URL", `http://127.0.0.1:${String(port)}`);
}

beforeEach(() => {
  vi.stubEnv("AWS_ACCESS_KEY_ID", "stand-in");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "stand-in");
});
afterEach(() => {
  vi.unstubAllEnvs();
});

test("all documents come of one request, and each has its own error", async () => {
  const asked: unknown[] = [];
  await listen(
    createHttpServer((request, response) => {
      let body = "";
      request.on("data", (chunk) => (body += String(chunk)));
      request.on("end", () => {
        asked.push(JSON.parse(body));
        response.end(
          JSON.stringify({
            SecretValues: [
              { Name: "a/good.json", SecretString: "{}" },
              // What the writer puts where a document was removed.
              { Name: "a/removed.json", SecretString: "\n" },
            ],
            Errors: [
              {
                SecretId: "a/denied.json",
                ErrorCode: "AccessDeniedException",
                Message: "no",
              },
              {
                SecretId: "a/none.json",
                ErrorCode: "ResourceNotFoundException",
              },
            ],
          }),
        );
      });
    }),
  );
  const names = ["good.json", "removed.json", "denied.json", "none.json"];
  const reader = new SecretsManagerReader("eu-central-1", "a/", names);
  const read = await Promise.allSettled(names.map((name) => reader.read(name)));
  expect(read).toEqual([
    { status: "fulfilled", value: "{}" },
    { status: "fulfilled", value: undefined },
    {
      status: "rejected",
      reason: new Error("a/denied.json: AccessDeniedException: no"),
    },
    { status: "fulfilled", value: undefined },
  ]);
  expect(asked).toEqual([{ SecretIdList: names.map((name) => `a/${name}`) }]);
});

test("a request that nobody answers ends: the next poll asks again", async () => {
  // Takes every connection, and says nothing.
  await listen(
    createServer((socket) => {
      socket.on("error", () => undefined);
    }),
  );
  const reader = new SecretsManagerReader("eu-central-1", "a/", ["b.json"]);
  await expect(reader.read("b.json")).rejects.toThrow();
}, 12_000);
