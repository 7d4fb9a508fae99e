import { beforeAll, expect, test } from "vitest";
import {
  type KeyedCertificate,
  createEgressCa,
  createLeaf,
} from "../../../infra/certificate/egress-ca.ts";
import { verifyAuthority } from "../../../infra/gateway/authority-document.ts";

const life = { notBefore: new Date(), days: 10 };
const verify = (given: object) => verifyAuthority(JSON.stringify(given));
let ca: KeyedCertificate;
let other: KeyedCertificate;

beforeAll(async () => {
  ca = await createEgressCa({ names: ["example.net"], ...life });
  other = await createEgressCa({ names: ["example.net"], ...life });
});

test("an authority with its key is taken", () => {
  expect(verify(ca)).toEqual(ca);
});

test("one with another's key is refused, and so is a leaf", async () => {
  const why = "the key is another one's, or it is no authority";
  const leaf = await createLeaf(ca, "example.net", life);
  expect(() => verify({ ...ca, key: other.key })).toThrow(why);
  expect(() => verify(leaf)).toThrow(why);
});

test.each([
  ["", "it is not JSON"],
  ['{"key":"SECRET', "it is not JSON"],
  ['{"key":"SECRET"}', "certificate Invalid input"],
  ['{"key":"SECRET","certificate":""}', "it is no certificate with its key"],
])("what is none is refused, and not repeated: %s", (content, why) => {
  expect(() => verifyAuthority(content)).toThrow(why);
  expect(() => verifyAuthority(content)).not.toThrow(/SECRET/);
});
