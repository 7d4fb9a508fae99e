/**
 * The certificate's program against real authorities on bad days: Pebble, as
 * Debian ships it and newer, and Cloudflare's stand-in with faults.
 *
 * @module-tag surroundings
 * @module-tag certificate
 */
import { createPrivateKey } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  afterAll,
  afterEach,
  beforeAll,
  describe,
  expect,
  onTestFinished,
  test,
} from "vitest";
import {
  type HeldCertificate,
  certificateProblems,
  heldCertificate,
  readChain,
} from "../../../infra/certificate/held-certificate.ts";
import { bundledProgram } from "../../../infra/machine/bundled-program.ts";
import { checkout } from "../../../scripts/checkout.ts";
import { labSecrets } from "../../../scripts/lab/secrets.ts";
import { stackConfig } from "../../../scripts/stack.ts";
import { askInternet, cloudflare, failAtCloudflare } from "../internet.ts";
import { inLab, labCurl } from "../lab.ts";
import { type Pebble, newerPebble, startPebble } from "./pebble.ts";

const domain = "issue.defikit.net";
const names = [`*.${domain}`, domain];
const { zoneId } = stackConfig<{ zoneId: string }>("cloudflare");

/**
 * An authority of this suite's own. Debian's Pebble 2.6 can come to a standstill
 * when orders are given up while others register, and the lab's serves the
 * suites beside this one.
 */
let own: Pebble;
let usual: string;
/** The program in one file, as machines get it: it starts sooner than its modules. */
const program = join(
  mkdtempSync(join(tmpdir(), "daytona-edge-issue-")),
  "certificate.cjs",
);
beforeAll(async () => {
  const entry = join(checkout, "infra/certificate/main.ts");
  writeFileSync(program, bundledProgram(entry, "node24"));
  own = await startPebble({ port: 14_100 });
  usual = own.directory;
});
afterAll(async () => {
  rmSync(dirname(program), { recursive: true });
  await own.stop();
});

/** Where one user of the program keeps things. */
class Place {
  readonly directory = mkdtempSync(join(tmpdir(), "daytona-edge-issue-"));
  readonly calls = join(this.directory, "calls");

  /** Runs the program. @param more options that go before the usual ones */
  async run(
    directory: string,
    more: readonly string[] = [],
    environment: NodeJS.ProcessEnv = {},
  ) {
    const given = new Set(more);
    const options = [
      ["--names", names.join(",")],
      ["--directory", directory],
      ["--store", join(this.directory, "store")],
      ["--account", join(this.directory, "account")],
      ["--zone", zoneId],
    ].filter(([name = ""]) => !given.has(name));
    await writeFile(this.calls, "");
    return inLab(
      [
        process.execPath,
        ...["--import", join(import.meta.dirname, "observed-run.ts")],
        ...[program, "issue"],
        ...more,
        ...options.flat(),
      ],
      {
        env: {
          CLOUDFLARE_API_TOKEN: labSecrets().cloudflareToken,
          CLOUDFLARE_BASE_URL: "https://cloudflare.internal/client/v4",
          CALLS_FILE: this.calls,
          ...environment,
        },
      },
    );
  }

  /** The same of a run that must end well; else the failure quotes the program. */
  async issue(...run: Parameters<Place["run"]>) {
    const outcome = await this.run(...run);
    expect(outcome.exitCode, outcome.stderr).toBe(0);
    return outcome;
  }

  async certificate(): Promise<HeldCertificate> {
    const file = join(this.directory, "store", "certificate.json");
    return heldCertificate.parse(JSON.parse(await readFile(file, "utf8")));
  }

  /** Requests of the last run, such as "POST https://…/order-plz 201". */
  async requests(): Promise<string[]> {
    const text = await readFile(this.calls, "utf8");
    return text.split("\n").filter((line) => line !== "");
  }
}

function place(): Place {
  const made = new Place();
  onTestFinished(() => {
    rmSync(made.directory, { recursive: true });
  });
  return made;
}

/** The challenge's records that are in DNS now. */
async function challengeRecords(): Promise<unknown[]> {
  const found = await cloudflare<{ name: string }[]>("?type=TXT&per_page=100");
  return found.filter(({ name }) => name.endsWith(domain));
}

const isOrder = (line: string) => /^POST .*\/order-plz 201$/.test(line);

async function expectIssued(at: Place): Promise<HeldCertificate> {
  const held = await at.certificate();
  expect(certificateProblems(held, names, new Date())).toEqual([]);
  expect(
    readChain(held.chain)[0]?.checkPrivateKey(createPrivateKey(held.key)),
  ).toBe(true);
  return held;
}

// Whatever a run meets, and also when it is killed and the next one runs.
afterEach(async () => {
  expect(await challengeRecords()).toEqual([]);
});

describe("Pebble 2.6", () => {
  test("issues; the next run does nothing", async () => {
    const at = place();
    const first = await at.issue(usual);
    expect(JSON.parse(first.stdout)).toMatchObject({ action: "issued", names });
    await expectIssued(at);
    const second = await at.issue(usual);
    expect(JSON.parse(second.stdout)).toMatchObject({ action: "kept" });
    expect((await at.requests()).some(isOrder)).toBe(false);
  });

  test("an RSA key, as asked for; another kind means another certificate", async () => {
    const at = place();
    await at.issue(usual, ["--key-type", "rsa-2048"]);
    const { key, serial } = await expectIssued(at);
    expect(createPrivateKey(key).asymmetricKeyType).toBe("rsa");
    const next = await at.issue(usual);
    expect(next.stderr).toContain(
      "the key type changed from rsa-2048 to ecdsa-p256",
    );
    expect((await expectIssued(at)).serial).not.toBe(serial);
  });

  test("renews by its window when the time has come, and says what it replaces", async () => {
    const at = place();
    await at.issue(usual);
    const { serial } = await at.certificate();
    const soon = await at.issue(usual, [], { CLOCK_AHEAD_DAYS: "20" });
    expect(JSON.parse(soon.stdout)).toMatchObject({ action: "kept" });
    const later = await at.issue(usual, [], { CLOCK_AHEAD_DAYS: "35" });
    expect(JSON.parse(later.stdout)).toMatchObject({ action: "issued" });
    expect(later.stderr).toMatch(/because the authority asks for it between/);
    expect((await at.certificate()).serial).not.toBe(serial);
  });

  test("renews at two thirds of its life where no window is offered", async () => {
    const at = place();
    const run = (days: string) =>
      at.issue(usual, [], { WITHOUT_ARI: "yes", CLOCK_AHEAD_DAYS: days });
    await run("0");
    const { serial } = await at.certificate();
    expect(JSON.parse((await run("28")).stdout)).toMatchObject({
      action: "kept",
    });
    const later = await run("31");
    expect(JSON.parse(later.stdout)).toMatchObject({ action: "issued" });
    expect(later.stderr).toContain("two thirds of its life are over");
    expect((await at.requests()).join()).not.toMatch(/renewal-?info/i);
    expect((await at.certificate()).serial).not.toBe(serial);
  });

  test("the challenge in another place, by CNAME", async () => {
    const alias = `elsewhere-${domain.replaceAll(".", "-")}.defikit.net`;
    const record = {
      type: "CNAME",
      name: `_acme-challenge.${domain}`,
      content: alias,
      ttl: 60,
    };
    const { id } = await cloudflare<{ id: string }>(
      "",
      ...["--json", JSON.stringify(record)],
    );
    try {
      const at = place();
      const { stderr } = await at.issue(usual, ["--challenge-alias", alias]);
      expect(stderr).toContain(`waiting for ${alias}`);
      await expectIssued(at);
    } finally {
      await cloudflare(`/${id}`, "-X", "DELETE");
    }
  });
});

describe("an authority", () => {
  let pebble: Pebble | undefined;
  afterEach(async () => {
    await pebble?.stop();
    pebble = undefined;
  });

  test("that refuses every second nonce", async () => {
    pebble = await startPebble({
      port: 14_101,
      environment: { PEBBLE_WFE_NONCEREJECT: "50" },
    });
    const at = place();
    await at.issue(pebble.directory);
    await expectIssued(at);
    const refused = (await at.requests()).filter((line) => / 400$/.test(line));
    expect(refused.length).toBeGreaterThan(0);
  });

  test("that remembers each validation", async () => {
    pebble = await startPebble({
      port: 14_102,
      environment: { PEBBLE_AUTHZREUSE: "100" },
    });
    const at = place();
    await at.issue(pebble.directory);
    await at.issue(pebble.directory, ["--key-type", "rsa-2048"]);
    await expectIssued(at);
    const written = (await at.requests()).filter((line) =>
      /^POST .*dns_records/.test(line),
    );
    expect(written).toEqual([]);
  });

  test("that asks for an external account", async () => {
    const key = Buffer.from("a key that only the two of them know").toString(
      "base64url",
    );
    pebble = await startPebble({
      port: 14_103,
      config: {
        externalAccountBindingRequired: true,
        externalAccountMACKeys: { "kid-1": key },
      },
    });
    const at = place();
    const without = await at.run(pebble.directory);
    expect(without.exitCode).toBe(1);
    expect(without.stderr).toContain("set ACME_EAB_KID and ACME_EAB_HMAC_KEY");
    const wrong = await at.run(pebble.directory, [], {
      ACME_EAB_KID: "kid-1",
      ACME_EAB_HMAC_KEY: Buffer.from("wrong").toString("base64url"),
    });
    expect(wrong.exitCode).toBe(1);
    expect(wrong.stderr).toContain(
      "external account binding JWS verification error",
    );
    await at.issue(pebble.directory, [], {
      ACME_EAB_KID: "kid-1",
      ACME_EAB_HMAC_KEY: key,
    });
    await expectIssued(at);
  });

  test("that will not have the name says so in its own words", async () => {
    pebble = await startPebble({
      port: 14_104,
      config: { domainBlocklist: [domain] },
    });
    const at = place();
    const { exitCode, stderr } = await at.run(pebble.directory);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/rejectedIdentifier/);
  });

  test("that cannot see the record: the order is lost, the next one is another", async () => {
    // It asks a server that has the names of the world, and not ours.
    pebble = await startPebble({ port: 14_105, resolver: "192.0.2.53:53" });
    const at = place();
    const { exitCode, stderr } = await at.run(pebble.directory);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/authorization of .*issue\.defikit\.net/);
    expect(await challengeRecords()).toEqual([]);
    await pebble.stop();
    pebble = await startPebble({ port: 14_105 });
    await at.issue(pebble.directory);
    await expectIssued(at);
  });
});

describe("DNS", () => {
  const lag = (server: string, milliseconds: number) =>
    askInternet(
      `name-servers/${server}`,
      ...["-X", "PUT", "--json", JSON.stringify({ lag: milliseconds })],
    );
  let servers: string[];
  beforeAll(async () => {
    const known = JSON.parse(await askInternet("name-servers")) as {
      name: string;
    }[];
    servers = known.map(({ name }) => name);
    expect(servers).toHaveLength(2);
  });
  afterEach(async () => {
    for (const server of servers) await lag(server, 0);
  });

  test.each([
    ["slow everywhere", [4_000, 4_000]],
    ["late on the second server", [0, 10_000]],
  ])("%s is waited for", async (_, lags) => {
    for (const [index, server] of servers.entries()) {
      await lag(server, lags[index] ?? 0);
    }
    const at = place();
    const start = Date.now();
    await at.issue(usual);
    // The authority may ask any of them.
    expect(Date.now() - start).toBeGreaterThan(Math.max(...lags));
    await expectIssued(at);
    for (const server of servers) await lag(server, 0);
  });
});

describe("Cloudflare", () => {
  afterAll(() => failAtCloudflare({ count: 0, status: 500 }));

  test.each([
    [
      "too many requests, for a second",
      { count: 2, status: 429, retryAfter: 1 },
    ],
    ["no server", { count: 2, status: 502 }],
  ])("%s: waited for", async (_, fault) => {
    const at = place();
    await failAtCloudflare({ ...fault, about: domain });
    await at.issue(usual);
    await expectIssued(at);
  });

  test.each([
    ["no permission", { count: 1, status: 403 }, /needs Zone \/ DNS \/ Edit/],
    [
      "come back in a day",
      { count: 1, status: 429, retryAfter: 86_400 },
      /1200 requests per 300 seconds/,
    ],
    ["down for long", { count: 20, status: 503 }, /HTTP 503/],
  ])("%s: said, and the next run goes on", async (_, fault, words) => {
    const at = place();
    await failAtCloudflare({ ...fault, about: domain });
    const { exitCode, stderr } = await at.run(usual);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(words);
    await failAtCloudflare({ count: 0, status: 500 });
    await at.issue(usual);
    await expectIssued(at);
    // The order of the run before is still good.
    expect((await at.requests()).filter(isOrder)).toEqual([]);
  });
});

test(
  "killed before and after every request, the next run does the rest, with one order",
  { timeout: 3_600_000 },
  async () => {
    const whole = place();
    await whole.issue(usual);
    const requests = await whole.requests();
    expect(requests.some(isOrder)).toBe(true);
    const outcomes: Readonly<Record<string, unknown>>[] = [];
    for (let call = 1; call <= requests.length; call++) {
      for (const when of ["before", "after"]) {
        const at = place();
        const died = await at.run(usual, [], {
          DIE_AT: `${when} ${String(call)}`,
        });
        const made = await at.requests();
        const before = made.filter(isOrder).length;
        // Asked of this run: a nonce refused at random moves all that follows.
        const orderWasLast = isOrder(made.at(-1) ?? "");
        const next = await at.issue(usual);
        const after = (await at.requests()).filter(isOrder).length;
        // Who dies with the answer in hand cannot have written it down.
        const most = when === "after" && orderWasLast ? 2 : 1;
        outcomes.push({
          killed: `${when} ${String(call)}: ${requests[call - 1] ?? ""}`,
          // A run that asks less often for what takes time is through before.
          survived: died.exitCode === 0 && made.length >= call,
          exitCode: next.exitCode,
          problems: certificateProblems(
            await at.certificate(),
            names,
            new Date(),
          ),
          tooManyOrders: Math.max(0, before + after - most),
          left: await challengeRecords(),
        });
      }
    }
    expect(outcomes).toEqual(
      outcomes.map(({ killed }) => ({
        killed,
        survived: false,
        exitCode: 0,
        problems: [],
        tooManyOrders: 0,
        left: [],
      })),
    );
    console.log(
      `killed ${String(outcomes.length)} times, at ${String(requests.length)} requests`,
    );
  },
);

const newer = await newerPebble();
describe.skipIf(newer === undefined)("Pebble 2.10.1 (needs Go)", () => {
  const daySeconds = 86_400;
  let pebble: Pebble;
  beforeAll(async () => {
    // It takes any profile for an order that names none, so there are many.
    pebble = await startPebble({
      port: 14_110,
      program: newer ?? "",
      config: {
        keyAlgorithm: "ecdsa",
        profiles: {
          tlsserver: {
            description: "45 days",
            validityPeriod: 45 * daySeconds,
          },
          ...Object.fromEntries(
            Array.from({ length: 20 }, (_, index) => [
              `other-${String(index)}`,
              { description: "90 days", validityPeriod: 90 * daySeconds },
            ]),
          ),
        },
      },
    });
  });
  afterAll(() => pebble.stop());

  const life = ({ notBefore, notAfter }: HeldCertificate) =>
    Math.round((Date.parse(notAfter) - Date.parse(notBefore)) / 86_400_000);

  test("orders by profile where it is offered, else by the authority's own choice", async () => {
    const at = place();
    await at.issue(pebble.directory);
    expect(life(await expectIssued(at))).toBe(45);
    // The authority refuses an order that names a profile it does not offer.
    const other = await at.issue(pebble.directory, ["--profile", "unheard-of"]);
    expect(JSON.parse(other.stdout)).toMatchObject({ action: "issued" });
    await expectIssued(at);
  });

  test("renews at once when the authority asks for it; a second `replaces` is refused and done without", async () => {
    const at = place();
    await at.issue(pebble.directory);
    const held = await at.certificate();
    const store = join(at.directory, "store", "certificate.json");
    const first = await readFile(store, "utf8");
    await askEarly(held);
    const renewed = await at.issue(pebble.directory);
    expect(renewed.stderr).toContain("https://acme.internal/incident");
    expect(renewed.stderr).not.toContain("without");
    const next = await at.certificate();
    expect(next.serial).not.toBe(held.serial);
    // As if the store had lost the new one.
    await writeFile(store, first);
    const again = await at.issue(pebble.directory);
    expect(again.stderr).toMatch(/ordering without "replaces"/);
    expect(
      (await at.requests()).some((line) => /order-plz 409$/.test(line)),
    ).toBe(true);
    expect((await expectIssued(at)).serial).not.toBe(next.serial);
  });

  /** The window of this certificate is now in the past. */
  async function askEarly({ chain }: HeldCertificate): Promise<void> {
    const ago = (hours: number) =>
      new Date(Date.now() - hours * 3_600_000).toISOString();
    const answer = {
      suggestedWindow: { start: ago(2), end: ago(1) },
      explanationURL: "https://acme.internal/incident",
    };
    const body = {
      certificate: readChain(chain)[0]?.toString(),
      ariResponse: JSON.stringify(answer),
    };
    const { exitCode, stderr } = await labCurl([
      ...["-f", "--data-binary", JSON.stringify(body)],
      `${pebble.management}/set-renewal-info/`,
    ]);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  }
});
