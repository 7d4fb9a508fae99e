import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { X509Certificate, createPrivateKey } from "node:crypto";
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";
import {
  type KeyedCertificate,
  createEgressCa,
  createLeaf,
  decideEgressCa,
  decideLeaf,
} from "../../../infra/certificate/egress-ca.ts";
import { keyPair } from "../../../infra/certificate/signing-request.ts";
import { day } from "./authority.ts";
import { temporaryDirectory } from "../temporary.ts";

const names = ["openrouter.ai", "api.github.com"];
const notBefore = new Date(Math.floor(Date.now() / 1000) * 1000 - 3_600_000);
const after = (days: number) => new Date(notBefore.getTime() + days * day);
let ca: KeyedCertificate;

beforeAll(async () => {
  ca = await createEgressCa({ names, notBefore, days: 90 });
});

const openssl = (...args: string[]) => promisify(execFile)("openssl", args);

/** What openssl says of a certificate; `of` is what the client asked for. */
async function verdict(
  leaf: Pick<KeyedCertificate, "certificate">,
  ...of: ["-verify_hostname" | "-verify_ip", string]
): Promise<string> {
  const directory = await temporaryDirectory();
  const caFile = join(directory, "ca.pem");
  const leafFile = join(directory, "leaf.pem");
  await writeFile(caFile, ca.certificate);
  await writeFile(leafFile, leaf.certificate);
  const strict = ["-x509_strict", "-purpose", "sslserver"];
  try {
    await openssl("verify", ...strict, "-CAfile", caFile, ...of, leafFile);
    return "good";
  } catch (error) {
    return (error as { stderr: string }).stderr;
  }
}

describe("the authority", () => {
  test("is for its names, signs no further authority, and says so critically", async () => {
    const directory = await temporaryDirectory();
    const file = join(directory, "ca.pem");
    await writeFile(file, ca.certificate);
    const { stdout } = await openssl(
      "x509",
      "-in",
      file,
      "-noout",
      "-ext",
      "basicConstraints,keyUsage,nameConstraints",
    );
    expect(stdout.split("\n").map((line) => line.trim())).toEqual([
      "X509v3 Basic Constraints: critical",
      "CA:TRUE, pathlen:0",
      "X509v3 Key Usage: critical",
      "Certificate Sign",
      "X509v3 Name Constraints: critical",
      "Permitted:",
      "DNS:openrouter.ai",
      "DNS:api.github.com",
      "Excluded:",
      "IP:0.0.0.0/0.0.0.0",
      "IP:0:0:0:0:0:0:0:0/0:0:0:0:0:0:0:0",
      "",
    ]);
    const certificate = new X509Certificate(ca.certificate);
    expect(certificate.checkPrivateKey(createPrivateKey(ca.key))).toBe(true);
  });

  test("is not made without a name", async () => {
    await expect(
      createEgressCa({ names: [], notBefore, days: 1 }),
    ).rejects.toThrow("at least one name");
  });

  test("has a name of its own, as clients look an issuer up by it", async () => {
    const other = await createEgressCa({ names, notBefore, days: 90 });
    expect(new X509Certificate(other.certificate).subject).not.toBe(
      new X509Certificate(ca.certificate).subject,
    );
  });
});

describe("a leaf", () => {
  test("is accepted for a listed host", async () => {
    const leaf = await createLeaf(ca, "openrouter.ai", { notBefore, days: 7 });
    expect(await verdict(leaf, "-verify_hostname", "openrouter.ai")).toBe(
      "good",
    );
    expect(await verdict(leaf, "-verify_hostname", "api.github.com")).toMatch(
      /hostname mismatch/i,
    );
    const certificate = new X509Certificate(leaf.certificate);
    expect(certificate.subjectAltName).toBe("DNS:openrouter.ai");
    expect(certificate.checkPrivateKey(createPrivateKey(leaf.key))).toBe(true);
  });

  test.each(["example.org", "openrouter.ai.example.org", "github.com"])(
    "for %s, which is not listed, is refused",
    async (host) => {
      const leaf = await createLeaf(ca, host, { notBefore, days: 7 });
      expect(await verdict(leaf, "-verify_hostname", host)).toMatch(
        /permitted subtree violation/,
      );
    },
  );

  test("of a renewed authority is good for who trusts the one before, for its names", async () => {
    const more = [...names, "example.org"];
    const { key } = ca;
    const renewed = await createEgressCa({
      names: more,
      notBefore,
      days: 90,
      key,
    });
    const said = async (host: string) =>
      verdict(
        await createLeaf(renewed, host, { notBefore, days: 7 }),
        "-verify_hostname",
        host,
      );
    expect(await said("openrouter.ai")).toBe("good");
    expect(await said("example.org")).toMatch(/permitted subtree violation/);
  });

  test("for an address is refused", async () => {
    const issuer = new x509.X509Certificate(ca.certificate);
    const keys = await keyPair(ca.key, "ecdsa-p256");
    const address = await x509.X509CertificateGenerator.create({
      issuer: issuer.subjectName,
      publicKey: keys.publicKey,
      signingKey: keys.privateKey,
      signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
      notBefore,
      notAfter: after(7),
      extensions: [
        new x509.SubjectAlternativeNameExtension(
          [{ type: "ip", value: "1.1.1.1" }],
          true,
        ),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
        await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    const leaf = { certificate: address.toString("pem") };
    expect(await verdict(leaf, "-verify_ip", "1.1.1.1")).toMatch(
      /excluded subtree violation/,
    );
  });

  test("does not outlive its authority", async () => {
    const leaf = await createLeaf(ca, "openrouter.ai", {
      notBefore,
      days: 1000,
    });
    expect(new Date(new X509Certificate(leaf.certificate).validTo)).toEqual(
      after(90),
    );
  });
});

describe("is made anew", () => {
  test("when there is none, or the names changed, or it is old", () => {
    expect(decideEgressCa(undefined, names, notBefore)).toEqual({
      action: "renew",
      because: "there is none yet",
    });
    expect(decideEgressCa(ca, ["openrouter.ai"], notBefore)).toEqual({
      action: "renew",
      because:
        "the names changed from openrouter.ai, api.github.com to openrouter.ai",
    });
    expect(decideEgressCa(ca, names, after(59))).toEqual({
      action: "keep",
      until: after(60),
    });
    expect(decideEgressCa(ca, names, after(60))).toMatchObject({
      action: "renew",
    });
  });

  test("not for another order of the names, or a name below one", () => {
    const reordered = [...names].reverse();
    expect(decideEgressCa(ca, reordered, notBefore).action).toBe("keep");
    const wild = ["*.openrouter.ai", "api.github.com"];
    expect(decideEgressCa(ca, wild, notBefore).action).toBe("keep");
  });

  test("a leaf: when there is none, of another authority or host, or old", async () => {
    const host = "openrouter.ai";
    const leaf = await createLeaf(ca, host, { notBefore, days: 9 });
    const other = await createEgressCa({ names, notBefore, days: 90 });
    const because = (...args: Parameters<typeof decideLeaf>) => {
      const decision = decideLeaf(...args);
      return decision.action === "renew" ? decision.because : decision.until;
    };
    expect(because(undefined, ca, host, notBefore)).toBe("there is none yet");
    expect(because(leaf, other, host, notBefore)).toBe("the authority changed");
    expect(because(leaf, ca, "api.github.com", notBefore)).toBe(
      "it is for another host",
    );
    expect(because(leaf, ca, host, after(5))).toEqual(after(6));
    expect(because(leaf, ca, host, after(6))).toBe(
      "two thirds of its life are over",
    );
  });
});
