/** An authority for tests, made as the lab's image makes its own. */
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import type { KeyedCertificate } from "../../../scripts/lab/internet/certificates.ts";

export async function testAuthority(): Promise<KeyedCertificate> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await crypto.subtle.generateKey(algorithm, true, [
    "sign",
    "verify",
  ]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: "CN=test web CA",
    keys,
    signingAlgorithm: algorithm,
    notAfter: new Date(Date.now() + 3650 * 86_400_000),
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const key = await crypto.subtle.exportKey("pkcs8", keys.privateKey);
  return {
    certificate: certificate.toString("pem"),
    key: x509.PemConverter.encode(key, "PRIVATE KEY"),
  };
}
