import { decodeProtectedHeader, jwtVerify } from "jose";
import { type IncomingMessage, type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import {
  afterAll,
  beforeAll,
  describe,
  expect,
  expectTypeOf,
  test,
} from "vitest";
import * as client from "../../../client/index.ts";
import type { StackOutputs as Made } from "../../../infra/outputs.ts";

const sandbox = "83792513-cd9e-428f-99c0-63c63bc7739c";
const key = { kid: "key-1", secret: "k".repeat(48) };
const outputs = {
  contract: 1,
  domain: "sandbox.daytona.example.net",
  urlTemplate: "https://{sandboxId}-{port}.sandbox.daytona.example.net",
  edge: { ipv4: "192.0.2.1", ipv6: "2001:db8::1" },
  access: { mode: "signed", key },
  egress: {
    rules: ["https://api.github.com/*"],
    gateway: "169.254.20.1",
    caCertificate: "-----BEGIN CERTIFICATE-----\n…",
    sandboxEnv: { NODE_EXTRA_CA_CERTS: "/ca.crt", SSL_CERT_FILE: "/all.crt" },
  },
  gateway: { publicAddresses: ["198.51.100.1", "198.51.100.2"] },
  certificate: { names: [], directory: "https://acme.example/" },
  deniedPorts: [2280],
} as const;

/** An Output, awaited. */
type Plain<T> =
  T extends PromiseLike<infer U>
    ? Plain<U>
    : T extends { apply: (...args: never[]) => unknown; get: () => infer U }
      ? Plain<U>
      : T extends object
        ? { [K in keyof T]: Plain<T[K]> }
        : T;

test("what the stack makes is what the client reads", () => {
  expectTypeOf<Plain<Made>["access"]["mode"]>().toEqualTypeOf<
    client.StackOutputs["access"]["mode"]
  >();
  expectTypeOf<keyof client.StackOutputs>().toExtend<keyof Made>();
  expectTypeOf<Plain<NonNullable<Made["gateway"]>>>().toEqualTypeOf<
    NonNullable<client.StackOutputs["gateway"]>
  >();
  expectTypeOf<keyof client.Egress>().toEqualTypeOf<
    keyof NonNullable<Made["egress"]>
  >();
  expectTypeOf<
    Pick<Made, "contract" | "domain" | "urlTemplate" | "deniedPorts">
  >().toEqualTypeOf<
    Pick<
      client.StackOutputs,
      "contract" | "domain" | "urlTemplate" | "deniedPorts"
    >
  >();
});

describe("readOutputs", () => {
  test("takes text and objects, and names that it does not know", () => {
    const more = { ...outputs, new: 1 };
    expect(client.readOutputs(JSON.stringify(more))).toEqual(more);
    expect(client.readOutputs(more).access.key).toEqual(key);
  });

  test("a stack with the road in only, and other modes", () => {
    const { egress, ...roadIn } = outputs;
    expect(egress).toBeDefined();
    for (const mode of ["daytona", "public"]) {
      const read = client.readOutputs({ ...roadIn, access: { mode } });
      expect(read.access.mode).toBe(mode);
    }
  });

  test.each([
    [{ contract: 2 }, "contract: 2 is not known here"],
    [{ contract: undefined }, "contract: missing"],
    [{ domain: 1 }, "domain: not a string"],
    [{ urlTemplate: "https://x/{port}" }, "urlTemplate:"],
    [{ urlTemplate: "http://{sandboxId}-{port}.x" }, "urlTemplate:"],
    [{ access: { mode: "open" } }, 'access.mode: "open"'],
    [{ access: { mode: "signed", key: "[secret]" } }, "use --show-secrets"],
    [{ access: "[secret]" }, "access.mode: missing"],
    [{ access: { mode: "signed" } }, "access.key.kid: missing"],
    [
      { access: { mode: "signed", key: { kid: "a", secret: "[secret]" } } },
      "access.key.secret: printed without its secret",
    ],
    [{ deniedPorts: ["x"] }, "deniedPorts:"],
    [{ egress: {} }, "egress.gateway: missing"],
    [{ gateway: {} }, "gateway.publicAddresses: not a list of addresses"],
    [
      { gateway: { publicAddresses: [1] } },
      "gateway.publicAddresses: not a list of addresses",
    ],
  ])("%j is refused: %s", (change, reason) => {
    expect(() => client.readOutputs({ ...outputs, ...change })).toThrow(reason);
  });

  test("all problems at once, and no secret in them", () => {
    const read = () =>
      client.readOutputs({
        ...outputs,
        domain: 1,
        contract: 3,
        deniedPorts: 0,
      });
    expect(read).toThrow(/contract.*\n.*domain.*\n.*deniedPorts/);
    expect(() => client.readOutputs(`{"secret": "${key.secret}`)).toThrow(
      "not JSON",
    );
    try {
      client.readOutputs(`{"secret": "${key.secret}`);
    } catch (error) {
      expect(String(error)).not.toContain(key.secret);
    }
  });
});

describe("sandboxUrl", () => {
  const origin = `https://${sandbox}-3000.sandbox.daytona.example.net`;

  test.each([
    [undefined, "/"],
    ["/a?b=c#d", "/a?b=c#d"],
    ["//example.org/x", "//example.org/x"],
    ["/@example.org", "/@example.org"],
    ["/\\example.org", "//example.org"],
    ["/a b", "/a%20b"],
    ["/../..", "/"],
  ])("path %j stays at the sandbox", (path, expected) => {
    const url = client.sandboxUrl(outputs, {
      sandbox,
      port: 3000,
      ...(path === undefined ? {} : { path }),
    });
    expect(url).toBe(`${origin}${expected}`);
    expect(new URL(url).origin).toBe(origin);
  });

  test.each([
    [{ sandbox: "x" }, "sandbox:"],
    [{ sandbox: sandbox.toUpperCase() }, "sandbox:"],
    [{ sandbox: `${sandbox}.evil.example/` }, "sandbox:"],
    [{ port: 0 }, "port:"],
    [{ port: 65_536 }, "port:"],
    [{ port: 1.5 }, "port:"],
    [{ port: 2280 }, "refused on every sandbox"],
    [{ path: "x" }, "path:"],
    [{ path: "@example.org" }, "path:"],
    [{ path: "" }, "path:"],
  ])("%j is refused", (change, reason) => {
    expect(() =>
      client.sandboxUrl(outputs, { sandbox, port: 3000, ...change }),
    ).toThrow(reason);
  });

  test("all problems at once", () => {
    expect(() =>
      client.sandboxUrl(outputs, { sandbox: "x", port: 0, path: "y" }),
    ).toThrow(/sandbox.*\n.*port.*\n.*path/);
  });
});

describe("signSandboxToken", () => {
  const verify = (token: string) =>
    jwtVerify(token, new TextEncoder().encode(key.secret));

  test("is a JWT of the contract, as another library reads it", async () => {
    const begun = Math.floor(Date.now() / 1000);
    const token = await client.signSandboxToken(key, {
      sandbox,
      ports: [3000, 8080],
      expiresInSeconds: 60,
      id: "chat-7",
    });
    expect(decodeProtectedHeader(token)).toEqual({
      alg: "HS256",
      typ: "JWT",
      kid: "key-1",
    });
    const { payload } = await verify(token);
    expect(payload).toMatchObject({
      sub: sandbox,
      ports: [3000, 8080],
      jti: "chat-7",
    });
    const { exp = 0, iat = 0 } = payload;
    expect(exp - iat).toBe(60);
    expect(iat).toBeGreaterThanOrEqual(begun);
    expect(iat).toBeLessThanOrEqual(Date.now() / 1000);
  });

  test("five minutes, when nothing is said", async () => {
    const issuedAt = Math.floor(Date.now() / 1000);
    const token = await client.signSandboxToken(key, {
      sandbox,
      ports: "*",
      issuedAt,
    });
    const { payload } = await verify(token);
    expect(payload).toEqual({
      sub: sandbox,
      ports: "*",
      iat: issuedAt,
      exp: issuedAt + 300,
    });
  });

  test.each([
    [{ sandbox: "x" }, "sandbox:"],
    [{ ports: 0 }, "port: 0"],
    [{ ports: [] }, "ports: an empty list"],
    [{ ports: [3000, 70_000] }, "port: 70000"],
    [
      { ports: Array.from({ length: 400 }, (_, i) => 10_000 + i) },
      "too many for one token",
    ],
    [{ expiresInSeconds: 0 }, "expiresInSeconds:"],
    [{ expiresInSeconds: Number.NaN }, "expiresInSeconds:"],
    [{ issuedAt: 1.5 }, "issuedAt:"],
    [{ id: "a b" }, "id:"],
    [{ id: "x".repeat(65) }, "id:"],
  ])("%j is refused", async (change, reason) => {
    await expect(
      client.signSandboxToken(key, { sandbox, ports: 3000, ...change }),
    ).rejects.toThrow(reason);
  });

  test("an error holds no secret", async () => {
    const short = { kid: "key-1", secret: "tooshortbutsecret" };
    const signing = client.signSandboxToken(short, { sandbox, ports: 1 });
    await expect(signing).rejects.toThrow("shorter than 32");
    await expect(signing).rejects.not.toThrow(short.secret);
  });
});

test("sandboxEnvironment: variables, file and command, or why not", () => {
  expect(client.sandboxEnvironment(outputs)).toEqual({
    env: outputs.egress.sandboxEnv,
    files: [{ path: "/ca.crt", content: outputs.egress.caCertificate }],
    commands: [expect.stringContaining("update-ca-certificates")],
  });
  const { egress, ...roadIn } = outputs;
  expect(() => client.sandboxEnvironment(roadIn)).toThrow("only the road in");
  // A gateway that inspects no host has no authority.
  const none = { ...roadIn, egress: { ...egress, caCertificate: "" } };
  expect(client.sandboxEnvironment(none).files).toEqual([]);
});

describe("sandboxFetch", () => {
  let server: Server;
  let seen: IncomingMessage;
  let answer: { status: number; headers: Record<string, string>; body: string };
  const fetchFrom = globalThis.fetch;
  beforeAll(async () => {
    server = createServer((request, response) => {
      seen = request;
      response.writeHead(answer.status, answer.headers).end(answer.body);
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    const { port } = server.address() as AddressInfo;
    // The names of the contract lead to the server of this test.
    globalThis.fetch = (url, init) =>
      fetchFrom(
        (url as string).replace(
          /^https:\/\/[^/]+/,
          `http://127.0.0.1:${String(port)}`,
        ),
        init,
      );
  });
  afterAll(() => {
    globalThis.fetch = fetchFrom;
    server.close();
  });
  const ask = (
    mode: "signed" | "daytona" | "public",
    options?: client.SandboxFetchOptions,
    init?: RequestInit,
  ) =>
    client.sandboxFetch(
      { ...outputs, access: mode === "signed" ? outputs.access : { mode } },
      { sandbox, port: 3000, path: "/x?y=1" },
      init,
      options,
    );
  const fine = { status: 200, headers: {}, body: "fine" };

  test("signs a token for this port, for a minute", async () => {
    answer = fine;
    const response = await ask(
      "signed",
      { tokenId: "t" },
      {
        method: "POST",
        body: "b",
        headers: { "X-Mine": "1" },
      },
    );
    expect(await response.text()).toBe("fine");
    expect(seen.url).toBe("/x?y=1");
    expect(seen.headers["x-mine"]).toBe("1");
    const token = String(seen.headers["x-sandbox-token"]);
    const { payload } = await jwtVerify(
      token,
      new TextEncoder().encode(key.secret),
    );
    expect(payload).toMatchObject({ sub: sandbox, ports: 3000, jti: "t" });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(60);
  });

  test("sends what each mode asks for, and no more", async () => {
    answer = fine;
    await ask("signed", { token: "own" });
    expect(seen.headers["x-sandbox-token"]).toBe("own");
    await ask("daytona", { previewToken: "p" });
    expect(seen.headers["x-daytona-preview-token"]).toBe("p");
    expect(seen.headers["x-sandbox-token"]).toBeUndefined();
    await ask("public", { previewToken: "p", token: "t" });
    expect(seen.headers["x-daytona-preview-token"]).toBeUndefined();
    expect(seen.headers["x-sandbox-token"]).toBeUndefined();
  });

  test("the edge's error is thrown, with all that it says", async () => {
    answer = {
      status: 429,
      headers: {
        "X-Sandbox-Error": "rate_limited",
        "Retry-After": "10",
        "Content-Type": "application/json",
      },
      body: '{"error":{"code":"rate_limited","message":"slow","requestId":"r"}}',
    };
    const error = await ask("signed").catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(client.SandboxError);
    expect(error).toMatchObject({
      code: "rate_limited",
      status: 429,
      message: "slow",
      requestId: "r",
      retryAfterSeconds: 10,
    });
  });

  test("the application's error is an answer, whatever it looks like", async () => {
    answer = {
      status: 401,
      headers: { "Content-Type": "application/json" },
      body: '{"error":{"code":"token_expired","message":"x","requestId":"r"}}',
    };
    const response = await ask("signed");
    expect(response.status).toBe(401);
    expect(await response.text()).toBe(answer.body);
  });

  test("a redirect of the application is an answer: no token goes elsewhere", async () => {
    answer = {
      status: 302,
      headers: { Location: "https://example.org/" },
      body: "",
    };
    expect((await ask("signed")).status).toBe(302);
  });
});
