import { createPrivateKey } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import {
  type KeyedCertificate,
  createEgressCa,
  createLeaf,
} from "../../../infra/certificate/egress-ca.ts";
import { readChain } from "../../../infra/certificate/held-certificate.ts";
import { servedCertificate } from "../../../infra/edge/certificate.ts";
import {
  type Authority,
  type Leaf,
  createAuthority,
  day,
} from "../certificate/authority.ts";

const domain = "sandbox.example.net";
const now = new Date();
const life = { notBefore: new Date(now.getTime() - 60_000), days: 10 };

let ca: KeyedCertificate;
let wildcard: KeyedCertificate;
let authority: Authority;
let good: Leaf;

beforeAll(async () => {
  ca = await createEgressCa({ names: ["example.net"], ...life });
  wildcard = await createLeaf(ca, `*.${domain}`, life);
  authority = await createAuthority();
  good = await authority.leaf({ names: [`*.${domain}`, domain] });
});

const serve = (chain: string, key: string, at = now) =>
  servedCertificate(JSON.stringify({ chain, key }), domain, at);

test("a good one is served, whatever else stands in its document", () => {
  const [leaf] = readChain(good.chain);
  const content = JSON.stringify({ ...good, keyType: "of a later version" });
  expect(servedCertificate(content, domain, now)).toEqual({
    pem: `${good.chain.trim()}\n${good.key.trim()}\n`,
    serial: leaf?.serialNumber,
    notAfter: new Date(leaf?.validTo ?? ""),
  });
});

describe("an edge refuses", () => {
  test("a leaf without the base name", () => {
    expect(() => serve(wildcard.certificate, wildcard.key)).toThrow(
      `it is for *.${domain}, not for *.${domain}, ${domain}`,
    );
  });

  test("a leaf without the wildcard", async () => {
    const base = await createLeaf(ca, domain, life);
    expect(() => serve(base.certificate, base.key)).toThrow(
      `it is for ${domain}, not for *.${domain}, ${domain}`,
    );
  });

  test("a key that is another's", () => {
    expect(createPrivateKey(ca.key).type).toBe("private");
    expect(() => serve(wildcard.certificate, ca.key)).toThrow(
      "the key does not belong to the certificate",
    );
  });

  test.each([
    ["not valid yet", -2 * day, "it is not valid before"],
    ["expired", 100 * day, "it has expired on"],
  ])("one that is %s", (_, later, problem) => {
    const at = new Date(now.getTime() + later);
    expect(() => serve(good.chain, good.key, at)).toThrow(problem);
  });

  test("a chain in which one did not sign the one before", async () => {
    const names = [`*.${domain}`, domain];
    const [leaf = "", issuer = ""] = readChain(good.chain).map(String);
    // The right name with another key, and the right key with another name.
    const namesake = await createAuthority();
    const misnamed = await authority.leaf({ names, issuer: "CN=other" });
    for (const [chain, key, place] of [
      [leaf + authority.root + issuer, good.key, 2],
      [leaf + issuer + leaf, good.key, 3],
      [leaf + namesake.issuer, good.key, 2],
      [misnamed.chain, misnamed.key, 2],
    ] as const) {
      expect(() => serve(chain, key)).toThrow(
        `certificate ${String(place)} of the chain did not sign certificate ${String(place - 1)}`,
      );
    }
  });

  test("an empty chain", () => {
    expect(() => serve("", wildcard.key)).toThrow(
      "the chain holds no certificate",
    );
  });

  test.each(["", '{"key":"-----BEGIN SECRET', '{"key":"-----BEGIN SECRET"}'])(
    "what is no such document, and does not repeat it: %s",
    (content) => {
      const refused = () => servedCertificate(content, domain, now);
      expect(refused).toThrow(/it is not JSON|expected string/);
      expect(refused).not.toThrow(/SECRET/);
    },
  );
});
