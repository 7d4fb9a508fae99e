import { createPrivateKey } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import {
  type KeyedCertificate,
  createEgressCa,
  createLeaf,
} from "../../../infra/certificate/egress-ca.ts";
import { verifyCertificate } from "../../../infra/edge/certificate.ts";

const domain = "sandbox.example.net";
const now = new Date();
const life = { notBefore: new Date(now.getTime() - 60_000), days: 10 };

let ca: KeyedCertificate;
let wildcard: KeyedCertificate;

beforeAll(async () => {
  ca = await createEgressCa({ names: ["example.net"], ...life });
  wildcard = await createLeaf(ca, `*.${domain}`, life);
});

/** The wildcard alone does not cover the base name. */
const verify = (chain: string, key: string, at = now) =>
  verifyCertificate({ chain, key }, `x.${domain}`.slice(2), at);

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

  test("an empty chain", () => {
    expect(() => verify("", wildcard.key)).toThrow("the chain is empty");
  });
});
