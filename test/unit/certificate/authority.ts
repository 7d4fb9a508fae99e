/** Certificates for the suites here: an issuer under a root, and its leaves. */
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { webcrypto } from "node:crypto";

export const day = 24 * 60 * 60 * 1000;
const ecdsa = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

export interface LeafOptions {
  readonly names: readonly string[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** Of TLS client when true, else of TLS server. */
  readonly client?: boolean;
  /** Name of the issuer that it says it has; the issuer's own when absent. */
  readonly issuer?: string;
}

export interface Leaf {
  /** PEM: the leaf, then its issuer. */
  readonly chain: string;
  /** PEM, PKCS #8. */
  readonly key: string;
}

export interface Authority {
  readonly issuer: string;
  readonly root: string;
  leaf(options: LeafOptions): Promise<Leaf>;
}

export async function createAuthority(): Promise<Authority> {
  const rootKeys = await keyPair();
  const issuerKeys = await keyPair();
  const life = {
    notBefore: new Date(Date.now() - 1000 * day),
    notAfter: new Date(Date.now() + 1000 * day),
  };
  const ca = [new x509.BasicConstraintsExtension(true, undefined, true)];
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    ...life,
    keys: rootKeys,
    name: "CN=root",
    extensions: ca,
  });
  const issuer = await x509.X509CertificateGenerator.create({
    ...life,
    subject: "CN=issuer",
    issuer: root.subject,
    publicKey: issuerKeys.publicKey,
    signingKey: rootKeys.privateKey,
    extensions: ca,
  });
  return {
    issuer: pem(issuer),
    root: pem(root),
    async leaf(options) {
      const { names, notBefore, notAfter, client } = options;
      const keys = await keyPair();
      const leaf = await x509.X509CertificateGenerator.create({
        issuer: options.issuer ?? issuer.subject,
        notBefore: notBefore ?? new Date(Date.now() - day),
        notAfter: notAfter ?? new Date(Date.now() + 89 * day),
        publicKey: keys.publicKey,
        signingKey: issuerKeys.privateKey,
        extensions: [
          new x509.SubjectAlternativeNameExtension(
            names.map((value) => ({ type: "dns", value })),
          ),
          new x509.ExtendedKeyUsageExtension([
            client
              ? x509.ExtendedKeyUsage.clientAuth
              : x509.ExtendedKeyUsage.serverAuth,
          ]),
          await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
        ],
      });
      const key = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
      return {
        chain: pem(leaf) + pem(issuer),
        key: `${x509.PemConverter.encode(key, "PRIVATE KEY")}\n`,
      };
    },
  };
}

function keyPair(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ecdsa, true, ["sign", "verify"]);
}

function pem(certificate: x509.X509Certificate): string {
  return `${certificate.toString("pem")}\n`;
}
