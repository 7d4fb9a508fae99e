/**
 * Hellos that no TLS library would send, at the gateway's 443.
 *
 * @module-tag gateway
 */
import { beforeAll, expect, test, vi } from "vitest";
import {
  clientHello,
  encryptedClientHello,
  padding,
  records,
} from "../../scripts/verify/client-hello.ts";
import { journalFromNow } from "./gateway-rules.ts";
import { runInSandbox } from "./gateway-sandbox-program.ts";

const spliced = "api.github.com";
const inspected = "openrouter.ai";
const plain = clientHello({ names: [spliced] });
const hidden = clientHello({
  names: [spliced],
  after: [encryptedClientHello()],
});
const named = (...names: (string | Buffer)[]) => [
  records(clientHello({ names })),
];

/** What the gateway lets through is answered by a ServerHello. */
const answered = /^160303/;
const unrecognizedName = /^15030300020270$/;
/** Closed without a word. */
const closed = /^$/;

/** Name, bytes in the pieces they are sent in, answer. */
const hellos: [string, Buffer[], RegExp][] = [
  ["one record", [records(plain)], answered],
  ["one record, byte by byte", [...bytes(records(plain))], answered],
  ["an inspected host", named(inspected), answered],
  ["upper case", named("API.GitHub.com"), answered],
  [
    "3000 bytes before the name, as a large key share would be",
    [records(clientHello({ names: [spliced], before: [padding(3000)] }))],
    answered,
  ],
  ["an unlisted name", named("example.org"), unrecognizedName],
  ["no name", [records(clientHello({}))], unrecognizedName],
  ["an empty name", named(""), unrecognizedName],
  ["a dot at the end", named(`${spliced}.`), unrecognizedName],
  ["an address", named("169.254.20.1"), unrecognizedName],
  ["a NUL after", named(`${spliced}\0.example.org`), unrecognizedName],
  ["a NUL before", named(`example.org\0.${spliced}`), unrecognizedName],
  ["a space", named(`${spliced} `), unrecognizedName],
  ["a line of a log", named('x\n{"verdict":"allowed"}'), unrecognizedName],
  ["a terminal's escape", named("x\x1b[31m"), unrecognizedName],
  ["5800 bytes", named(Buffer.alloc(5800, 0xff)), unrecognizedName],
  ["300 bytes", named("a".repeat(300)), unrecognizedName],
  ["the listed name second", named("example.org", spliced), unrecognizedName],
  ["an encrypted hello", [records(hidden)], unrecognizedName],
  // Of RFC 9180 the last AEAD, the last KDF and "export-only".
  ...["00010003", "00030001", "0001ffff"].map(
    (suite): [string, Buffer[], RegExp] => [
      `an encrypted hello of the suite ${suite}`,
      [
        records(
          clientHello({
            names: [spliced],
            after: [encryptedClientHello(suite)],
          }),
        ),
      ],
      unrecognizedName,
    ],
  ),
  [
    "an encrypted hello before the name",
    [
      records(
        clientHello({ names: [spliced], before: [encryptedClientHello()] }),
      ),
    ],
    unrecognizedName,
  ],
  [
    "an encrypted hello after 5000 bytes",
    [
      records(
        clientHello({
          names: [spliced],
          after: [padding(5000), encryptedClientHello()],
        }),
      ),
    ],
    unrecognizedName,
  ],
  [
    "an encrypted hello to an inspected host, whose handshake is ours",
    [
      records(
        clientHello({ names: [inspected], after: [encryptedClientHello()] }),
      ),
    ],
    answered,
  ],
  ["two records", [records(plain, 60)], closed],
  [
    "an encrypted hello in the second record",
    [records(hidden, hidden.length - 260)],
    closed,
  ],
  [
    "two hellos in one record",
    [records(Buffer.concat([plain, hidden]))],
    closed,
  ],
  [
    "more than 6000 bytes",
    [records(clientHello({ names: [spliced], before: [padding(6100)] }))],
    closed,
  ],
  [
    "a handshake message of another type",
    [records(Buffer.concat([Buffer.of(2), plain.subarray(1)]))],
    closed,
  ],
  [
    "a hello that stops halfway",
    [records(plain).subarray(0, plain.length / 2)],
    closed,
  ],
  [
    "SSL 2",
    [
      Buffer.from(
        "802e0100020015000000100100800200800300800400800500800600400700c0",
        "hex",
      ),
    ],
    closed,
  ],
];

/** Hexadecimal answers, in the order of `hellos`; at most 7 bytes of each. */
let answers: string[];

beforeAll(async () => {
  const journal = await journalFromNow("--identifier=daytona-gateway-log");
  const pieces = hellos.map(([, sent]) =>
    sent.map((piece) => piece.toString("base64")),
  );
  answers = await runInSandbox<string[]>(
    "gateway-hellos.ts",
    JSON.stringify(pieces),
  );
  // expect.poll is for tests alone.
  await vi.waitFor(
    async () => {
      const lines = (await journal()).trimEnd().split("\n");
      rows = lines.map((line) => JSON.parse(line) as Row);
      // The handshake with an inspected host has rows of its own.
      const connections = rows.filter(({ kind }) => kind === "tls");
      expect(connections.length).toBeGreaterThanOrEqual(hellos.length);
    },
    { timeout: 120_000, interval: 200 },
  );
});

interface Row {
  readonly kind: string;
  readonly client: string;
  readonly host: string;
  readonly verdict: string;
}
/** What the gateway logged meanwhile. */
let rows: Row[];

test.each(hellos.map(([name, , answer], index) => ({ name, answer, index })))(
  "$name",
  ({ answer, index }) => {
    expect(answers[index]).toMatch(answer);
  },
);

test("nothing but rows is in the log, one for each hello", () => {
  const connections = rows.filter(({ kind }) => kind === "tls");
  expect(connections).toHaveLength(hellos.length);
  expect(rows.map(({ host }) => host)).toEqual(
    expect.arrayContaining(["x%0A%7B%22verdict%22%3A%22allowed%22%7D"]),
  );
});

test.each([
  ["", "no_name"],
  ["example.org", "host_not_allowed"],
  [spliced, "encrypted_hello"],
  ["", "hello_shape"],
  ["", "hello_incomplete"],
  ["", "not_tls"],
])("a refusal is one row of the log: %j %s", (host, verdict) => {
  const matching = rows.filter((row) => row.verdict === verdict);
  expect(matching.length).toBeGreaterThan(0);
  expect(matching).toContainEqual(
    expect.objectContaining({
      kind: "tls",
      host,
      client: expect.stringMatching(/^172\.20\./) as string,
    }),
  );
});

function bytes(data: Buffer): Buffer[] {
  return [...data].map((byte) => Buffer.of(byte));
}
