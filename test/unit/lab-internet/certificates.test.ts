import { X509Certificate, createPrivateKey } from "node:crypto";
import { expect, it } from "vitest";
import { webAuthority } from "../../../scripts/lab/internet/certificates.ts";
import { testAuthority } from "./authority.ts";

it("signs for names and addresses, and only those", async () => {
  const ca = await testAuthority();
  const authority = await webAuthority(ca);
  const subjects = ["dns.test", "192.0.2.8", "2001:db8::8"];
  const issued = await authority.issue(subjects);
  const leaf = new X509Certificate(issued.certificate);
  const root = new X509Certificate(ca.certificate);
  expect(leaf.verify(root.publicKey)).toBe(true);
  expect(leaf.checkIssued(root)).toBe(true);
  expect(leaf.checkPrivateKey(createPrivateKey(issued.key))).toBe(true);
  expect(leaf.ca).toBe(false);
  expect(leaf.checkHost("dns.test")).toBe("dns.test");
  expect(leaf.checkIP("192.0.2.8")).toBe("192.0.2.8");
  expect(leaf.checkIP("2001:db8::8")).toBeDefined();
  expect(leaf.checkHost("other.test")).toBeUndefined();
  expect(leaf.checkIP("192.0.2.9")).toBeUndefined();
});
