import { exportJWK, generateKeyPair } from "jose";
import { describe, expect, test } from "vitest";
import { AcmeClient } from "../../../infra/certificate/acme.ts";
import { AcmeProblem } from "../../../infra/certificate/acme-problem.ts";
import { type Misbehaviour, acmeServer, problem } from "./acme-server.ts";

const names = ["*.example.net", "example.net"];

/** A logged-in client of a server that misbehaves. */
async function clientOf(misbehaviour: Misbehaviour) {
  const server = await acmeServer(misbehaviour);
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  const client = await AcmeClient.connect(
    server.directory,
    await exportJWK(privateKey),
    { firstWait: 1 },
  );
  await client.login({});
  return { client, server };
}

async function refusalOf(work: Promise<unknown>): Promise<AcmeProblem> {
  const error: unknown = await work.catch((reason: unknown) => reason);
  if (error instanceof AcmeProblem) return error;
  throw new Error(`no refusal but ${String(error)}`);
}

describe("a refusal", () => {
  test("with a wait of more than a day is passed on at once", async () => {
    const { client, server } = await clientOf(({ path }) =>
      path === "order"
        ? {
            ...problem(
              "rateLimited",
              429,
              "too many certificates (5) already issued for this exact set of identifiers in the last 168h0m0s",
            ),
            headers: { "retry-after": "120000" },
          }
        : undefined,
    );
    const start = Date.now();
    const refusal = await refusalOf(client.newOrder({ names }));
    expect(refusal).toMatchObject({ type: "rateLimited", status: 429 });
    const wait = (refusal.retryAfter?.getTime() ?? 0) - start;
    expect(wait).toBeGreaterThanOrEqual(120_000_000);
    expect(refusal.message).toMatch(
      /^The certificate authority refused the order for \*\.example\.net, example\.net: too many certificates \(5\) .+ \(rateLimited, HTTP 429, try again after \d{4}-/,
    );
    // Once, and without the wait, which would be longer than this test may be.
    expect(server.requests.filter(({ path }) => path === "order").length).toBe(
      1,
    );
  });

  test("names what is wrong with each name", async () => {
    const { client } = await clientOf(({ path }) =>
      path === "order"
        ? problem("rejectedIdentifier", 400, "some names are refused", {
            subproblems: [
              {
                type: "urn:ietf:params:acme:error:caa",
                detail: "CAA record forbids issuance",
                identifier: { type: "dns", value: "example.net" },
              },
            ],
          })
        : undefined,
    );
    const refusal = await refusalOf(client.newOrder({ names }));
    expect(refusal.subproblems).toHaveLength(1);
    expect(refusal.message).toContain(
      "\n  example.net: CAA record forbids issuance (caa)",
    );
  });

  test("that is no problem document is shown as it is", async () => {
    const { client } = await clientOf(({ path }) =>
      path === "order"
        ? { status: 403, body: "<h1>Blocked</h1>\n by a proxy" }
        : undefined,
    );
    const refusal = await refusalOf(client.newOrder({ names }));
    expect(refusal.detail).toBe("<h1>Blocked</h1> by a proxy");
  });
});

describe("a passing failure", () => {
  const order = {
    status: 201,
    headers: { location: "/order/1" },
    body: {
      status: "pending",
      authorizations: [],
      finalize: "http://127.0.0.1/finalize",
    },
  };

  test.each([
    ["503", { status: 503 }],
    [
      "429 with a short wait",
      { ...problem("rateLimited", 429, ""), headers: { "retry-after": "0" } },
    ],
    ["a nonce that is not liked", problem("badNonce", 400, "bad nonce")],
  ])("is waited out: %s", async (_, answer) => {
    const { client, server } = await clientOf(({ path, before }) =>
      path === "order" ? (before < 2 ? answer : order) : undefined,
    );
    const { url } = await client.newOrder({ names });
    expect(url).toBe(`${server.url}/order/1`);
  });

  test("that does not pass is given up: nonces", async () => {
    const { client, server } = await clientOf(({ path }) =>
      path === "order" ? problem("badNonce", 400, "bad nonce") : undefined,
    );
    const refusal = await refusalOf(client.newOrder({ names }));
    expect(refusal.type).toBe("badNonce");
    expect(server.requests.filter(({ path }) => path === "order").length).toBe(
      15,
    );
  });

  test("that does not pass is given up: 500", async () => {
    const { client, server } = await clientOf(({ path }) =>
      path === "order"
        ? problem("serverInternal", 500, "out of order")
        : undefined,
    );
    const refusal = await refusalOf(client.newOrder({ names }));
    expect(refusal).toMatchObject({ type: "serverInternal", status: 500 });
    expect(server.requests.filter(({ path }) => path === "order").length).toBe(
      4,
    );
  });
});

describe("an account", () => {
  const unknownAtFirst: Misbehaviour = ({ path, before }) =>
    path === "account" && before === 0
      ? problem("accountDoesNotExist", 400, "unknown key")
      : undefined;

  test("that exists is used as it is", async () => {
    const { server } = await clientOf(() => undefined);
    const asked = server.requests.filter(({ path }) => path === "account");
    expect(asked.map(({ payload }) => payload)).toEqual([
      { onlyReturnExisting: true },
    ]);
  });

  test("that does not is made", async () => {
    const { server } = await clientOf(unknownAtFirst);
    const asked = server.requests.filter(({ path }) => path === "account");
    expect(asked[1]?.payload).toEqual({ termsOfServiceAgreed: true });
  });

  test("is not asked for where it needs an external one that is not given", async () => {
    const refused = clientOf((request, url) =>
      request.path === "directory"
        ? {
            status: 200,
            body: {
              newNonce: `${url}/nonce`,
              newAccount: `${url}/account`,
              newOrder: `${url}/order`,
              meta: { externalAccountRequired: true },
            },
          }
        : unknownAtFirst(request, url),
    );
    await expect(refused).rejects.toThrow(
      "set ACME_EAB_KID and ACME_EAB_HMAC_KEY",
    );
  });
});

test("a directory that cannot be reached is named", async () => {
  const key = await exportJWK(
    (await generateKeyPair("ES256", { extractable: true })).privateKey,
  );
  const url = "http://127.0.0.1:1/directory";
  await expect(AcmeClient.connect(url, key, { firstWait: 1 })).rejects.toThrow(
    `${url} cannot be reached: `,
  );
});

test("a page that is no directory is named", async () => {
  const server = await acmeServer(() => ({ status: 200, body: "<html>" }));
  const key = await exportJWK(
    (await generateKeyPair("ES256", { extractable: true })).privateKey,
  );
  await expect(AcmeClient.connect(server.directory, key)).rejects.toThrow(
    `${server.directory} answers, but not with an ACME directory`,
  );
});
