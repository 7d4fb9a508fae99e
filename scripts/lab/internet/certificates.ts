/** Certificates of the lab's web, from the lab's web authority. */
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { isIP } from "node:net";

/** Certificate and key, both PEM; the key is PKCS #8. */
export interface KeyedCertificate {
  readonly certificate: string;
  readonly key: string;
}

export interface WebAuthority {
  /** @param subjects host names and addresses; the first gives the name */
  issue(subjects: readonly string[]): Promise<KeyedCertificate>;
}

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const day = 86_400_000;
/** In days. A new one is made at each start. */
const life = 90;

/** @throws when the certificate and the key are no ECDSA P-256 authority */
export async function webAuthority(
  authority: KeyedCertificate,
): Promise<WebAuthority> {
  const issuer = new x509.X509Certificate(authority.certificate);
  const signingKey = await crypto.subtle.importKey(
    "pkcs8",
    x509.PemConverter.decodeFirst(authority.key),
    algorithm,
    false,
    ["sign"],
  );
  return {
    async issue(subjects) {
      const keys = await crypto.subtle.generateKey(algorithm, true, [
        "sign",
        "verify",
      ]);
      const now = Date.now();
      const certificate = await x509.X509CertificateGenerator.create({
        subject: `CN=${subjects[0] ?? ""}`,
        issuer: issuer.subject,
        publicKey: keys.publicKey,
        signingKey,
        signingAlgorithm: algorithm,
        // Clocks of machines that boot differ a little.
        notBefore: new Date(now - day / 24),
        notAfter: new Date(now + life * day),
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.KeyUsagesExtension(
            x509.KeyUsageFlags.digitalSignature,
            true,
          ),
          new x509.ExtendedKeyUsageExtension([
            x509.ExtendedKeyUsage.serverAuth,
          ]),
          new x509.SubjectAlternativeNameExtension(
            subjects.map((value) => ({
              type: isIP(value) === 0 ? "dns" : "ip",
              value,
            })),
          ),
          await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
          await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
        ],
      });
      const key = await crypto.subtle.exportKey("pkcs8", keys.privateKey);
      return {
        certificate: `${certificate.toString("pem")}\n`,
        key: `${x509.PemConverter.encode(key, "PRIVATE KEY")}\n`,
      };
    },
  };
}
