/**
 * What the edge remembers of a connection opens nothing: many requests on one
 * connection, each of another standing, get what they would get alone.
 *
 * @module-tag edge
 */
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { rowOf } from "./edge-health.ts";
import { type Answer, answersOf, edgeError } from "./fixtures/answers.ts";
import { type Target, hostOf } from "./fixtures/target.ts";
import {
  DOMAIN,
  FIRST_SANDBOX,
  SECOND_SANDBOX,
  SIGNED_DOMAIN,
  edgeRows,
  labCurl,
  script,
} from "./lab.ts";
import { readState, writeState } from "./live-state.ts";
import {
  type Conversation,
  converse,
  edgesFor,
  exchangeAll,
  roadTo,
} from "./targets.ts";
import { type Key, claims, now, sign } from "./tokens.ts";

const id = FIRST_SANDBOX;
const host = `${id}-3000.${SIGNED_DOMAIN}`;
const otherHost = `${SECOND_SANDBOX}-3000.${SIGNED_DOMAIN}`;
let daytona: Target;
let signed: Target;
let key: Key;

beforeAll(async () => {
  const [first, second] = await edgesFor(id, 3000);
  if (!first || !second?.key) throw new Error("The lab has no two edges");
  daytona = first;
  signed = second;
  key = second.key;
});

const request = (
  token: string | undefined,
  of = host,
  fields: readonly string[] = [],
  target = "/answer",
) =>
  Buffer.from(
    [
      `GET ${target} HTTP/1.1`,
      `Host: ${of}`,
      ...(token === undefined ? [] : [`X-Sandbox-Token: ${token}`]),
      ...fields,
      "\r\n",
    ].join("\r\n"),
  );

let first: string | undefined;
/** One token for the whole file, so that a connection can know it. */
const good = () => (first ??= sign(key, claims(id)));

/**
 * The edge's word for each request of one connection: its code, or the status.
 * The last one asks it to close. Were our side to end at once instead, HAProxy
 * would drop a request that comes with that end just as an answer is finished.
 */
async function onOneConnection(
  requests: readonly Buffer[],
  pause = 150,
  target = signed,
) {
  const [answered] = await exchangeAll([
    {
      road: roadTo(target, "http/1.1"),
      pieces: requests.map((piece, index) =>
        index < requests.length - 1
          ? piece
          : Buffer.from(
              piece.toString().replace(/\r\n$/, "Connection: close\r\n\r\n"),
            ),
      ),
      pause,
      ending: "wait",
    },
  ]);
  const answers = answersOf(answered?.received ?? Buffer.alloc(0)).map(wordOf);
  // How it ended says why one is missing.
  return answers.length === requests.length
    ? answers
    : [...answers, answered?.connected, answered?.ended];
}

function wordOf(answer: Answer): string | number {
  return edgeError(answer) ?? answer.status;
}

/** The same, where something has to happen before the next request. */
async function onOneHeldConnection(
  talk: (ask: (request: Buffer) => Promise<unknown>) => Promise<void>,
): Promise<void> {
  const connection: Conversation = await converse(signed);
  try {
    await talk(async (request) => {
      const answer = await connection.ask(request);
      return answer && wordOf(answer);
    });
  } finally {
    await connection.end();
  }
}

describe("after a good request", () => {
  const cases: [string, () => Buffer, string | number][] = [
    ["the same again", () => request(good()), 200],
    ["another good token", () => request(sign(key, claims(id, "*"))), 200],
    [
      "the other sandbox, by a token for it",
      () => request(sign(key, claims(SECOND_SANDBOX)), otherHost),
      200,
    ],
    ["no token", () => request(undefined), "token_missing"],
    ["another sandbox", () => request(good(), otherHost), "token_invalid"],
    [
      "another port",
      () => request(good(), `${id}-8080.${SIGNED_DOMAIN}`),
      "token_invalid",
    ],
    [
      "a port that nobody may have",
      () => request(sign(key, claims(id, "*")), `${id}-22222.${SIGNED_DOMAIN}`),
      "port_denied",
    ],
    ["a host of nobody", () => request(good(), "example.org"), "unknown_host"],
    ["the base name", () => request(good(), SIGNED_DOMAIN), "unknown_host"],
    [
      "the same token with another signature",
      () => request(good().replace(/.$/, (end) => (end === "A" ? "Q" : "A"))),
      "token_invalid",
    ],
    ["an empty token", () => request(""), "token_invalid"],
    [
      "the same token twice",
      () => request(good(), host, [`X-Sandbox-Token: ${good()}`]),
      "token_invalid",
    ],
    [
      "a bad one in the header before it",
      () => request("x", host, [`X-Sandbox-Token: ${good()}`]),
      "token_invalid",
    ],
    [
      "a bad one in the query before the good cookie",
      () =>
        request(
          undefined,
          host,
          [`Cookie: __Host-sandbox=${good()}`],
          "/answer?__sandbox_token=x",
        ),
      "token_invalid",
    ],
    [
      "the same token as a cookie",
      () => request(undefined, host, [`Cookie: __Host-sandbox=${good()}`]),
      200,
    ],
    [
      "an expired one",
      () => request(sign(key, { ...claims(id), exp: now() - 1 })),
      "token_expired",
    ],
    [
      "a challenge path",
      () => request(good(), host, [], "/.well-known/acme-challenge/x"),
      "unknown_host",
    ],
    [
      "two Cookie fields",
      () => request(good(), host, ["Cookie: a=1", "Cookie: b=2"]),
      "bad_request",
    ],
  ];
  test.concurrent.each(cases)("%s", async (_, next, expected) => {
    const said = await onOneConnection([request(good()), next()]);
    expect(said).toEqual([200, expected]);
  });

  test("a refusal does not close the door for the next good one", async () => {
    const said = await onOneConnection([
      request(good()),
      request("x"),
      request(good()),
      request(good(), otherHost),
      request(good()),
    ]);
    expect(said).toEqual([200, "token_invalid", 200, "token_invalid", 200]);
  });
});

test("nor is a token's name given to the next one's requests", async () => {
  const jti = `named-${crypto.randomUUID()}`;
  const named = sign(key, { ...claims(id), jti });
  const last = `last-${crypto.randomUUID()}`;
  const begun = Date.now();
  const answers = await onOneConnection([
    request(named),
    request(named),
    request(good()),
    request(good()),
    request(sign(key, { ...claims(id), jti: last })),
  ]);
  expect(answers).toEqual([200, 200, 200, 200, 200]);
  // The rows of one connection come in order: then all of them are there.
  await rowOf("edge-signed", begun, { jti: last });
  const rows = await edgeRows("edge-signed", 50);
  const written = rows.filter((line) => line.includes(jti));
  // Of the second, too, for which nothing was asked again.
  expect(written.map((row) => JSON.parse(row) as object)).toEqual(
    [1, 2].map(
      () =>
        expect.objectContaining({
          ...{ sandbox: id, port: "3000", kid: key.kid },
        }) as object,
    ),
  );
});

test("a token that expires meanwhile opens no longer", async () => {
  await onOneHeldConnection(async (ask) => {
    const exp = now() + 15;
    const short = request(sign(key, { ...claims(id), exp }));
    expect(await ask(short)).toBe(200);
    await sleep((exp + 1) * 1000 - Date.now());
    expect(await ask(short)).toBe("token_expired");
  });
});

test("nor one that is revoked meanwhile", async () => {
  const token = request(sign(key, { ...claims(id), iat: now() - 100 }));
  try {
    await onOneHeldConnection(async (ask) => {
      expect(await ask(token)).toBe(200);
      const { stderr } = await script("sandbox.ts", ["revoke", id]);
      expect(stderr).toBe("");
      // Open connections to the sandbox are cut; the client's own stays.
      expect(await ask(token)).toBe("token_revoked");
    });
  } finally {
    await script("sandbox.ts", ["restore", id]);
  }
});

/** Names of the keys that the edge says it accepts. */
async function liveKeys(): Promise<string[]> {
  const { stdout } = await labCurl([`http://${signed.address}:8404/status`]);
  const status = JSON.parse(stdout) as Record<string, { live: string }>;
  return status["access.json"]?.live.match(/[^ ,]+(?=,|$)/g) ?? [];
}

test("nor one whose key is taken back meanwhile", async () => {
  const file = "store/access.json";
  const before = await readState(signed.machine, file);
  const document = JSON.parse(before) as { keys: Key[] };
  const next = document.keys.find(({ kid }) => kid !== key.kid) ?? key;
  const token = request(sign(next, claims(id)));
  try {
    await onOneHeldConnection(async (ask) => {
      expect(await ask(token)).toBe(200);
      const fewer = JSON.stringify({ ...document, keys: [key] });
      await writeState(signed.machine, file, fewer);
      await expect.poll(liveKeys).toEqual([key.kid]);
      expect(await ask(token)).toBe("token_invalid");
    });
  } finally {
    await writeState(signed.machine, file, before);
    await expect.poll(liveKeys).toContain(next.kid);
  }
});

test("where Daytona decides, the host decides again each time", async () => {
  const mine = hostOf(daytona);
  const said = await onOneConnection(
    [
      request(undefined, mine),
      request(undefined, hostOf(daytona, 22222)),
      request(undefined, mine),
      request(undefined, hostOf(daytona, "03000")),
      request(undefined, `${id}-3000.example.org`),
      request(undefined, mine, [], "/.well-known/acme-challenge/x"),
      request(undefined, mine.toUpperCase()),
    ],
    150,
    daytona,
  );
  expect(said).toEqual([
    ...[200, "port_denied", 200, "unknown_host", "unknown_host"],
    ...["unknown_host", 200],
  ]);
});

test("the login on the base name is no request to the sandbox before it", async () => {
  const mine = hostOf(daytona);
  const path = `/callback?state=${crypto.randomUUID()}`;
  const begun = Date.now();
  const said = await onOneConnection(
    [
      request(undefined, mine),
      request(undefined, DOMAIN, [], path),
      request(undefined, mine),
    ],
    150,
    daytona,
  );
  // 400 is Daytona's own answer; the application would have none for it.
  expect(said).toEqual([200, 400, 200]);
  expect(await rowOf("edge", begun, { path: "/callback" })).toMatchObject({
    status: 400,
    sandbox: "",
    port: "",
  });
});
