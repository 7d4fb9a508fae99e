import { X509Certificate, createPrivateKey } from "node:crypto";

/** `certificate.json` of the store, as far as the edge reads it. */
export interface CertificateDocument {
  /** Leaf first, PEM. */
  readonly chain: string;
  /** PKCS#8, PEM. */
  readonly key: string;
}

/**
 * Checks a certificate as a whole: dates, names, key, order of the chain.
 * @returns the serial number of the leaf, upper-case hexadecimal
 * @throws Error that says what is wrong with it
 */
export function verifyCertificate(
  { chain, key }: CertificateDocument,
  domain: string,
  now: Date,
): string {
  const certificates = chain
    .split(/(?<=-----END CERTIFICATE-----)/)
    .filter((pem) => pem.trim() !== "")
    .map((pem) => new X509Certificate(pem));
  const [leaf] = certificates;
  if (!leaf) throw new Error("the chain is empty");
  if (!leaf.checkPrivateKey(createPrivateKey(key))) {
    throw new Error("the key does not belong to the leaf");
  }
  for (const name of [domain, `any.${domain}`]) {
    if (leaf.checkHost(name) === undefined) {
      throw new Error(
        `it does not cover ${name} (it is for ${leaf.subjectAltName ?? "nothing"})`,
      );
    }
  }
  if (new Date(leaf.validFrom) > now || new Date(leaf.validTo) <= now) {
    throw new Error(`it is valid from ${leaf.validFrom} to ${leaf.validTo}`);
  }
  certificates.slice(1).forEach((issuer, index) => {
    const issued = certificates[index];
    // The name alone does not tell: anybody can take it.
    if (!issued?.checkIssued(issuer) || !issued.verify(issuer.publicKey)) {
      throw new Error(
        `certificate ${String(index + 2)} did not issue the one before`,
      );
    }
  });
  return leaf.serialNumber;
}
