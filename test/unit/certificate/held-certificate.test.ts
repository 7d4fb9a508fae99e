import { beforeAll, describe, expect, test } from "vitest";
import {
  certificateProblems,
  holdCertificate,
  readChain,
} from "../../../infra/certificate/held-certificate.ts";
import {
  type Authority,
  type Leaf,
  createAuthority,
  day,
} from "./authority.ts";

const names = ["*.sandbox.example.net", "sandbox.example.net"];
const now = new Date();
let authority: Authority;
let good: Leaf;

beforeAll(async () => {
  authority = await createAuthority();
  good = await authority.leaf({ names });
});

test("is written down with what an edge needs to know", () => {
  const held = holdCertificate({
    ...good,
    directory: "https://acme.example.net/directory",
    account: "https://acme.example.net/account/1",
    keyType: "ecdsa-p256",
    issuedAt: now,
  });
  const [leaf] = readChain(good.chain);
  expect(held).toMatchObject({
    names,
    serial: leaf?.serialNumber,
    issuedAt: now.toISOString(),
  });
  expect(new Date(held.notAfter)).toEqual(new Date(leaf?.validTo ?? ""));
});

describe("is checked", () => {
  test("and found good", () => {
    expect(certificateProblems(good, names, now)).toEqual([]);
  });

  test("for its key", async () => {
    const { key } = await authority.leaf({ names });
    expect(certificateProblems({ ...good, key }, names, now)).toEqual([
      "the key does not belong to the certificate",
    ]);
    expect(certificateProblems({ ...good, key: "" }, names, now)).toEqual([
      "the key cannot be read",
    ]);
  });

  test("for its names: none missing, none more", () => {
    expect(certificateProblems(good, names.slice(1), now)).toEqual([
      "it is for *.sandbox.example.net, sandbox.example.net, not for sandbox.example.net",
    ]);
    expect(certificateProblems(good, [...names, "x.example"], now)).toEqual([
      "it is for *.sandbox.example.net, sandbox.example.net, not for *.sandbox.example.net, sandbox.example.net, x.example",
    ]);
  });

  test("for its dates", async () => {
    const early = new Date(now.getTime() - 2 * day);
    const late = new Date(now.getTime() + 100 * day);
    expect(certificateProblems(good, names, early)).toEqual([
      expect.stringMatching(/^it is not valid before /),
    ]);
    expect(certificateProblems(good, names, late)).toEqual([
      expect.stringMatching(/^it has expired on /),
    ]);
    // One that outlives its issuer.
    const notAfter = new Date(now.getTime() + 2000 * day);
    const long = await authority.leaf({ names, notAfter });
    const after = new Date(now.getTime() + 1001 * day);
    expect(certificateProblems(long, names, after)).toEqual([
      expect.stringMatching(/^issuer 1 in the chain has expired on /),
    ]);
  });

  test("with room for an authority whose clock is ahead", async () => {
    const notBefore = new Date(now.getTime() + 60_000);
    const fresh = await authority.leaf({ names, notBefore });
    expect(certificateProblems(fresh, names, now)).toEqual([]);
  });

  test("for the order of its chain", () => {
    const [leaf, issuer] = readChain(good.chain).map(String);
    const swapped = `${String(issuer)}${String(leaf)}`;
    expect(
      certificateProblems({ ...good, chain: swapped }, names, now),
    ).toContain("certificate 2 of the chain did not sign certificate 1");
  });

  test("for an issuer that has the right name and the wrong key", async () => {
    const other = await createAuthority();
    const [leaf] = readChain(good.chain).map(String);
    const chain = `${String(leaf)}${other.issuer}`;
    expect(certificateProblems({ ...good, chain }, names, now)).toEqual([
      "certificate 2 of the chain did not sign certificate 1",
    ]);
  });

  test("for an issuer that has the right key and the wrong name", async () => {
    // No client would find the way.
    const leaf = await authority.leaf({ names, issuer: "CN=other" });
    expect(certificateProblems(leaf, names, now)).toEqual([
      "certificate 2 of the chain did not sign certificate 1",
    ]);
  });

  test("for its purpose", async () => {
    const client = await authority.leaf({ names, client: true });
    expect(certificateProblems(client, names, now)).toEqual([
      "it is not for TLS servers",
    ]);
    const chain = authority.issuer;
    expect(certificateProblems({ ...good, chain }, names, now)).toContain(
      "the first certificate is an authority's",
    );
  });

  test("for being there", () => {
    expect(certificateProblems({ ...good, chain: "" }, names, now)).toEqual([
      "the chain holds no certificate",
    ]);
    const torn = good.chain.replace("MI", "!!");
    expect(certificateProblems({ ...good, chain: torn }, names, now)).toEqual([
      expect.stringMatching(/^the chain cannot be read: /),
    ]);
  });
});
