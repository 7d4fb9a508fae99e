/** The certificate that `pulumi up` has put into the lab's store. */
import { X509Certificate, createPrivateKey } from "node:crypto";
import { readFile, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import {
  certificateProblems,
  heldCertificate,
  type HeldCertificate,
  readChain,
} from "../../../infra/certificate/held-certificate.ts";
import { labDirectory, storeDirectory } from "../../../scripts/checkout.ts";
import { trustFile } from "../../../scripts/lab/surroundings.ts";
import { DOMAIN, labExec } from "../lab.ts";

const store = storeDirectory("edge");
const file = join(store, "certificate.json");
let held: HeldCertificate;

beforeAll(async () => {
  held = heldCertificate.parse(JSON.parse(await readFile(file, "utf8")));
});

test("is for the wildcard and the base name, with its key and chain", () => {
  const names = [`*.${DOMAIN}`, DOMAIN];
  expect(certificateProblems(held, names, new Date())).toEqual([]);
  const [leaf] = readChain(held.chain);
  expect(leaf?.checkPrivateKey(createPrivateKey(held.key))).toBe(true);
  expect(leaf?.serialNumber).toBe(held.serial);
  expect(leaf?.checkHost(`any.${DOMAIN}`)).toBeDefined();
});

test("leads to the root that the lab's clients trust", async () => {
  const roots = readChain(await readFile(trustFile, "utf8"));
  const last = readChain(held.chain).at(-1) as X509Certificate;
  const signers = roots.filter(
    (root) => last.checkIssued(root) && last.verify(root.publicKey),
  );
  expect(signers).toHaveLength(1);
});

test("is for its owner's eyes, and the account's key is elsewhere", async () => {
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readdir(store)).not.toContain("acme-account.json");
  const account = join(
    labDirectory,
    "acme-accounts",
    "edge",
    "acme-account.json",
  );
  expect((await stat(account)).mode & 0o777).toBe(0o600);
});

test("has left no challenge in DNS", async () => {
  const { stdout, exitCode } = await labExec("edge", [
    "dig",
    "+noall",
    "+answer",
    "+comments",
    "TXT",
    `_acme-challenge.${DOMAIN}`,
  ]);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/status: (NOERROR|NXDOMAIN)/);
  expect(stdout).not.toMatch(/\bTXT\t/);
});
