import { createPrivateKey } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import {
  type KeyedCertificate,
  createEgressCa,
  createLeaf,
} from "../../../infra/certificate/egress-ca.ts";
import { readChain } from "../../../infra/certificate/held-certificate.ts";
import { verifyCertificate } from "../../../infra/edge/certificate.ts";
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

/** The wildcard alone does not cover the base name. */
const verify = (chain: string, key: string, at = now) =>
  verifyCertificate({ chain, key }, `x.${domain}`.slice(2), at);

test("verifyCertificate takes a good one, and says its serial", () => {
  const [leaf] = readChain(good.chain);
  expect(verify(good.chain, good.key)).toBe(leaf?.serialNumber);
});

describe("verifyCertificate refuses", () => {
  test("a leaf without the base name", () => {
    expect(() => verify(wildcard.certificate, wildcard.key)).toThrow(
      `it does not cover ${domain}`,
    );
  });

  test("a leaf without the wildcard", async () => {
    const base = await createLeaf(ca, domain, life);
    expect(() => verify(base.certificate, base.key)).toThrow(
      `it does not cover any.${domain}`,
    );
  });

  test("a key that is another's", () => {
    expect(createPrivateKey(ca.key).type).toBe("private");
    expect(() => verify(wildcard.certificate, ca.key)).toThrow(
      "the key does not belong to the leaf",
    );
  });

  test.each([
    ["not valid yet", -2 * day],
    ["expired", 100 * day],
  ])("one that is %s", (_, later) => {
    const at = new Date(now.getTime() + later);
    expect(() => verify(good.chain, good.key, at)).toThrow("it is valid from");
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
      expect(() => verify(chain, key)).toThrow(
        `certificate ${String(place)} did not issue the one before`,
      );
    }
  });

  test("an empty chain", () => {
    expect(() => verify("", wildcard.key)).toThrow("the chain is empty");
  });
});
