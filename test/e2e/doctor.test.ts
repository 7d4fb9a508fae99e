/** `npm run doctor` on a healthy lab, and with one thing at a time gone wrong. */
import { afterAll, afterEach, expect, test, vi } from "vitest";
import type { Row } from "../../scripts/doctor/row.ts";
import { nameServers } from "../../scripts/lab/internet/hosts.ts";
import { askInternet, cloudflare, failAtCloudflare } from "./internet.ts";
import { DOMAIN, labExec, script } from "./lab.ts";
import { hideState, readState, writeState } from "./live-state.ts";

const undo: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

// Whatever was broken is mended.
afterAll(() =>
  vi.waitFor(
    async () => {
      expect(await rowsThatWant()).toEqual([]);
    },
    { timeout: 120_000, interval: 200 },
  ),
);

interface Outcome {
  readonly ok: boolean;
  readonly rows: (Row & { readonly stack: string })[];
}

async function doctor(): Promise<Outcome> {
  const { stdout, stderr, exitCode } = await script("doctor.ts", ["--json"]);
  if (stdout === "") throw new Error(stderr);
  const outcome = JSON.parse(stdout) as Outcome;
  expect(exitCode).toBe(outcome.ok ? 0 : 1);
  return outcome;
}

/**
 * Rows that are not good, as "stack what: found". The tests look until they
 * find what they name, and nothing else: on a busy computer a name server that
 * does not answer in time is a row for that one look.
 */
async function rowsThatWant(): Promise<string[]> {
  const { rows } = await doctor();
  return rows
    .filter(({ state }) => state !== "good")
    .map(({ stack, what, found }) => `${stack} ${what}: ${found}`);
}

/** An edge takes a certificate that is back within a second or two. */
const allGood = () => expect.poll(rowsThatWant).toEqual([]);

/** Changes a document on the edge's server, until the test is over. */
async function changeDocument(
  path: string,
  change: (document: Record<string, unknown>) => unknown,
): Promise<void> {
  const before = await readState("edge", path);
  undo.push(() => writeState("edge", path, before));
  const changed = change(JSON.parse(before) as Record<string, unknown>);
  await writeState("edge", path, JSON.stringify(changed));
}

const certificate = "store/certificate.json";
const report = "store/certificate-report.json";
const account = "certificate/account/acme-account.json";

interface DnsRecord {
  readonly id: string;
  readonly type: string;
  readonly name: string;
}

async function recordOf(type: string, name: string): Promise<DnsRecord> {
  const found = await cloudflare<DnsRecord[]>("?per_page=100");
  const record = found.find((one) => one.type === type && one.name === name);
  if (!record) throw new Error(`no ${type} of ${name}`);
  return record;
}

const patch = (id: string, change: object) =>
  cloudflare(`/${id}`, ...["-X", "PATCH", "--json", JSON.stringify(change)]);

const renew = () =>
  labExec("edge", ["/usr/local/lib/daytona-edge/run-certificate.sh", "issue"]);

test("a healthy lab: every row is good, as a table too", async () => {
  await allGood();
  await expect.poll(async () => (await doctor()).ok).toBe(true);
  const { rows } = await doctor();
  expect(
    rows.filter(({ stack }) => stack === "local").map(({ what }) => what),
  ).toEqual([
    "certificate",
    "renewal",
    "limits",
    "account",
    "name servers",
    `*.${DOMAIN}`,
    DOMAIN,
    "CAA",
    "challenge",
    "edge 198.18.0.4",
    "edge 198.18.0.4, state",
    "upstream http://198.18.0.3:4000",
    "198.18.0.4: base-system",
    "198.18.0.4: certificate",
    "198.18.0.4: edge",
    "198.18.0.4: server",
    "198.18.0.4: certificate/credentials.env",
    "198.18.0.4: store/revocations.json",
    "198.18.0.3: base-system",
    "198.18.0.3: gateway",
    "198.18.0.3: server",
    "198.18.0.3: store/egress-credentials.json",
    "198.18.0.4: programs",
    "198.18.0.3: programs",
    "198.18.0.3: sandboxes",
    "198.18.0.3: Daytona",
    "198.18.0.3: firewall",
  ]);
  await expect
    .poll(() => script("doctor.ts", []))
    .toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining(
        `All ${String(rows.length)} rows are in order.`,
      ) as string,
    });
});

test("no certificate in the store", async () => {
  undo.push(allGood);
  undo.push(await hideState("edge", certificate));
  await expect
    .poll(rowsThatWant)
    .toEqual(
      expect.arrayContaining([
        "local certificate: there is none in the store",
        expect.stringMatching(
          /^local edge 198\.18\.0\.4: .* instead of nothing/,
        ),
      ]),
    );
});

test("a certificate without its key", async () => {
  undo.push(allGood);
  await changeDocument(certificate, (held) => ({
    ...held,
    key: "gone",
  }));
  await expect.poll(rowsThatWant).toEqual([
    // The doctor sees no private key; the edge says it.
    expect.stringMatching(
      /^local edge 198\.18\.0\.4, state: certificate.json: .*the key cannot be read/,
    ),
  ]);
});

test.each([
  ["no permission", { count: 1, status: 403 }, "needs Zone / DNS / Edit"],
  [
    "come back in a day",
    { count: 1, status: 429, retryAfter: 86_400 },
    "1200 requests per 300 seconds",
  ],
  ["down for long", { count: 20, status: 503 }, "HTTP 503"],
])("a renewal that Cloudflare fails: %s", async (_, fault, words) => {
  await failAtCloudflare(fault);
  const putBack = await hideState("edge", certificate);
  expect(await renew()).toMatchObject({ exitCode: 1 });
  await putBack();
  await failAtCloudflare({ count: 0, status: 500 });
  undo.push(renew);
  // The edge sees for a moment that the certificate was away.
  await expect
    .poll(rowsThatWant)
    .toEqual([
      expect.stringMatching(
        new RegExp(`^local renewal: the last run, \\d+ minutes ago.*${words}`),
      ),
    ]);
});

test("an authority that refuses is quoted", async () => {
  const file = "/etc/daytona-edge/certificate/env";
  await labExec("edge", [
    ...["sed", "-i.aside", "s|14000/dir|14000/nothing|"],
    file,
  ]);
  undo.push(async () => {
    await labExec("edge", ["mv", `${file}.aside`, file]);
    await renew();
  });
  expect(await renew()).toMatchObject({ exitCode: 1 });
  await expect
    .poll(rowsThatWant)
    .toEqual([
      expect.stringMatching(
        /^local renewal: .*acme\.internal:14000\/nothing.*404/,
      ),
      expect.stringMatching(/^local account: .*14000\/nothing.*404/),
      expect.stringMatching(/^local 198\.18\.0\.4: certificate: changed by/),
    ]);
});

test("nobody has run for two days", async () => {
  const ranAt = new Date(Date.now() - 50 * 60 * 60_000).toISOString();
  await changeDocument(report, (report) => ({
    ...report,
    ranAt,
  }));
  await expect.poll(rowsThatWant).toEqual(["local renewal: no run for 2 days"]);
});

test("orders that come near the authority's limit, and reach it", async () => {
  const now = new Date().toISOString();
  for (const count of [3, 5]) {
    await changeDocument(report, (report) => ({
      ...report,
      issuedAt: Array.from({ length: count }, () => now),
    }));
    await expect
      .poll(rowsThatWant)
      .toEqual([
        `local limits: ${String(count)} issued in a week; Let's Encrypt allows 5`,
      ]);
    await expect.poll(async () => (await doctor()).ok).toBe(count < 5);
  }
});

test("an account that the authority does not know, and another one", async () => {
  const foreign = await readState("edge-signed", account);
  await changeDocument(account, () => JSON.parse(foreign));
  await expect
    .poll(rowsThatWant)
    .toEqual([
      expect.stringMatching(
        /^local account: https:.*, but the certificate was ordered by https:/,
      ),
    ]);
});

test("a lost account", async () => {
  undo.push(await hideState("edge", account));
  await expect
    .poll(rowsThatWant)
    .toEqual([
      "local account: acme.internal:14000 knows no account of our key",
    ]);
});

test("an address that somebody changed in the dashboard", async () => {
  const record = await recordOf("A", `*.${DOMAIN}`);
  await patch(record.id, { content: "203.0.113.9" });
  undo.push(() => patch(record.id, { content: "198.18.0.4" }));
  await expect
    .poll(rowsThatWant)
    .toEqual([
      expect.stringMatching(
        /^local \*\..*: ns1\..*, ns2\..* answers 203\.0\.113\.9 as A instead of 198\.18\.0\.4$/,
      ),
    ]);
});

test("CAA that lets another account order", async () => {
  const { id } = await recordOf("CAA", DOMAIN);
  const before = await cloudflare<{ data: object }>(`/${id}`);
  const data = { ...before.data, value: "pebble.letsencrypt.org" };
  await patch(id, { data });
  undo.push(() => patch(id, { data: before.data }));
  await expect
    .poll(rowsThatWant)
    .toEqual([expect.stringMatching(/^local CAA: .*as CAA instead of/)]);
});

test("a challenge that was left behind", async () => {
  const { id } = await cloudflare<DnsRecord>(
    "",
    ...["-X", "POST", "--json"],
    JSON.stringify({
      type: "TXT",
      name: `_acme-challenge.${DOMAIN}`,
      content: '"left"',
      ttl: 60,
    }),
  );
  undo.push(() => cloudflare(`/${id}`, "-X", "DELETE"));
  await expect
    .poll(rowsThatWant)
    .toEqual([
      expect.stringMatching(
        new RegExp(`^local challenge: _acme-challenge.${DOMAIN} has records`),
      ),
    ]);
});

test("a name server that is behind", async () => {
  const { name } = nameServers.second;
  const lag = (milliseconds: number) =>
    askInternet(
      `name-servers/${name}`,
      ...["-X", "PUT", "--json", JSON.stringify({ lag: milliseconds })],
    );
  await lag(3_600_000);
  undo.push(() => lag(0));
  const { id } = await cloudflare<DnsRecord>(
    "",
    ...["-X", "POST", "--json"],
    JSON.stringify({
      type: "A",
      name: "doctor.defikit.net",
      content: "203.0.113.9",
      ttl: 60,
    }),
  );
  undo.push(() => cloudflare(`/${id}`, "-X", "DELETE"));
  await expect
    .poll(rowsThatWant)
    .toEqual(
      expect.arrayContaining([
        expect.stringMatching(
          new RegExp(`^local name servers: ${name} is behind: serial`),
        ),
      ]),
    );
});

test("an edge that serves an older certificate, and one that is silent", async () => {
  undo.push(allGood);
  await labExec("edge", ["systemctl", "stop", "daytona-edge-agent"]);
  undo.push(() =>
    labExec("edge", ["systemctl", "start", "daytona-edge-agent"]),
  );
  await changeDocument(certificate, (held) => ({
    ...held,
    serial: "01",
  }));
  await expect
    .poll(rowsThatWant)
    .toEqual(
      expect.arrayContaining([
        expect.stringMatching(
          /^local edge 198\.18\.0\.4: .* serves [0-9A-F]+ instead of 01/,
        ),
        expect.stringMatching(/^local edge 198\.18\.0\.4, state: /),
      ]),
    );
});
