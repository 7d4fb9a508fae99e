import { beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { DirectoryStore } from "../../../infra/machine/store/directory.ts";
import type { Challenge } from "../../../infra/certificate/dns01.ts";
import { ensureCertificate } from "../../../infra/certificate/ensure.ts";
import {
  type HeldCertificate,
  holdCertificate,
} from "../../../infra/certificate/held-certificate.ts";
import { type Answer, acmeServer, problem } from "./acme-server.ts";
import {
  type Authority,
  type Leaf,
  createAuthority,
  day,
} from "./authority.ts";
import { temporaryDirectory } from "../temporary.ts";

const names = ["*.example.net", "example.net"];
const document = "certificate.json";
let authority: Authority;
let good: Leaf;
let old: Leaf;
let store: DirectoryStore;
let accountStore: DirectoryStore;
const log = vi.fn<(line: string) => void>();

beforeAll(async () => {
  authority = await createAuthority();
  good = await authority.leaf({ names });
  const notBefore = new Date(Date.now() - 80 * day);
  const notAfter = new Date(Date.now() + 10 * day);
  old = await authority.leaf({ names, notBefore, notAfter });
});

beforeEach(async () => {
  store = new DirectoryStore(await temporaryDirectory());
  accountStore = new DirectoryStore(await temporaryDirectory());
  log.mockClear();
});

/** Nothing has to be proven in these tests; Pebble sees to that in the lab. */
const challenge: Challenge = {
  type: "dns-01",
  during: (_, work) => work(),
  sweep: () => Promise.resolve(),
};

function ensure(directory: string) {
  return ensureCertificate({
    config: { names, directory, keyType: "ecdsa-p256" },
    store,
    accountStore,
    challenge,
    now: () => new Date(),
    log,
  });
}

function held(leaf: Leaf, directory: string): HeldCertificate {
  const issuedAt = new Date();
  return holdCertificate({
    ...leaf,
    directory,
    account: "https://acme.example.net/account/1",
    keyType: "ecdsa-p256",
    issuedAt,
  });
}

/** A server whose orders are done as soon as they are placed. */
function serverWith(chain: string, order?: Answer) {
  return acmeServer(({ path }, url) => {
    const body = {
      status: "valid",
      authorizations: [],
      finalize: `${url}/finalize`,
      certificate: `${url}/certificate`,
    };
    if (path === "order") {
      return { status: 201, headers: { location: `${url}/order/1` }, body };
    }
    if (path === "order/1") return order ?? { status: 200, body };
    if (path === "certificate") return { status: 200, body: chain };
    return undefined;
  });
}

/** What a run that died has left: an order, and the key it was to be for. */
function leaveOrder(directory: string, url: string, key: string) {
  const order = { url, names, directory, keyType: "ecdsa-p256", key };
  return accountStore.write("acme-order.json", JSON.stringify(order));
}

const ordersOf = ({ requests }: Awaited<ReturnType<typeof acmeServer>>) =>
  requests.filter(({ path }) => path === "order").length;

describe("a certificate that is not due", () => {
  test("is kept, and the account is not touched", async () => {
    const server = await serverWith("");
    const certificate = held(good, server.directory);
    await store.write(document, JSON.stringify(certificate));
    const due = Date.parse(certificate.notBefore) + 60 * day;
    expect(await ensure(server.directory)).toEqual({
      action: "kept",
      certificate,
      renewalDue: new Date(due),
    });
    expect(server.requests.map(({ path }) => path)).toEqual(["directory"]);
    expect(await accountStore.read("acme-account.json")).toBeUndefined();
  });

  test("is kept when the authority cannot be asked", async () => {
    const server = await acmeServer(() => problem("unauthorized", 403, "no"));
    const certificate = held(good, server.directory);
    await store.write(document, JSON.stringify(certificate));
    expect((await ensure(server.directory)).action).toBe("kept");
    expect(log.mock.calls.join("\n")).toContain(
      "going by the certificate's age",
    );
  });
});

describe("an order that a run has left when it died", () => {
  test("is gone on with: no second one", async () => {
    const server = await serverWith(good.chain);
    await leaveOrder(server.directory, `${server.url}/order/1`, good.key);
    const { action, certificate } = await ensure(server.directory);
    expect({ action, key: certificate.key }).toEqual({
      action: "issued",
      key: good.key,
    });
    expect(ordersOf(server)).toBe(0);
    expect(await accountStore.read("acme-order.json")).toBeUndefined();
    expect(await store.read(document)).toContain(certificate.serial);
  });

  test("is not taken for the next one when its certificate is stored", async () => {
    const server = await serverWith(old.chain);
    const certificate = held(old, server.directory);
    await store.write(document, JSON.stringify(certificate));
    await leaveOrder(server.directory, `${server.url}/order/1`, old.key);
    await ensure(server.directory).catch(() => undefined);
    expect(ordersOf(server)).toBe(1);
  });

  test("is dropped when the authority has forgotten it", async () => {
    const gone = problem("malformed", 404, "no such order");
    const server = await serverWith(good.chain, gone);
    await leaveOrder(server.directory, `${server.url}/order/1`, good.key);
    await ensure(server.directory).catch(() => undefined);
    expect(ordersOf(server)).toBe(1);
  });

  test("is forgotten when nothing is due", async () => {
    const server = await serverWith("");
    const certificate = held(good, server.directory);
    await store.write(document, JSON.stringify(certificate));
    await leaveOrder(server.directory, `${server.url}/order/1`, good.key);
    await ensure(server.directory);
    expect(await accountStore.read("acme-order.json")).toBeUndefined();
  });
});

describe("what the authority issues is checked before it is stored", () => {
  test("a certificate for another key is not", async () => {
    const server = await serverWith(good.chain);
    const certificate = JSON.stringify(held(old, server.directory));
    await store.write(document, certificate);
    await expect(ensure(server.directory)).rejects.toThrow(
      /issued a certificate that cannot be used: the key does not belong to the certificate/,
    );
    expect(await store.read(document)).toBe(certificate);
    expect(await accountStore.read("acme-order.json")).toBeUndefined();
  });

  test("a certificate for other names is not", async () => {
    const other = await authority.leaf({ names: ["example.net"] });
    const server = await serverWith(other.chain);
    await leaveOrder(server.directory, `${server.url}/order/1`, other.key);
    await expect(ensure(server.directory)).rejects.toThrow(
      "it is for example.net, not for *.example.net, example.net",
    );
    expect(await store.read(document)).toBeUndefined();
  });
});

describe("a damaged document", () => {
  test("of the certificate is as good as none", async () => {
    const server = await serverWith(good.chain);
    await store.write(document, '{"version":');
    await leaveOrder(server.directory, `${server.url}/order/1`, good.key);
    expect((await ensure(server.directory)).action).toBe("issued");
    expect(log.mock.calls.join("\n")).toContain("cannot be used");
  });

  test("of the certificate is one with another's key, too", async () => {
    const server = await serverWith(good.chain);
    const certificate = held({ ...good, key: old.key }, server.directory);
    await store.write(document, JSON.stringify(certificate));
    await leaveOrder(server.directory, `${server.url}/order/1`, good.key);
    expect((await ensure(server.directory)).action).toBe("issued");
    expect(log.mock.calls.join("\n")).toContain(
      "cannot be used: the key does not belong to the certificate",
    );
  });

  test("of the account stops the run: a new account is not the same", async () => {
    const server = await serverWith("");
    await accountStore.write("acme-account.json", "{}");
    await expect(ensure(server.directory)).rejects.toThrow(
      /^acme-account.json is damaged .+put it back from a backup/s,
    );
    expect(await accountStore.read("acme-account.json")).toBe("{}");
  });
});
