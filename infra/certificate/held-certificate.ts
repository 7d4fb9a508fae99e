/**
 * The certificate as it lies in the store: key and chain in one document, so
 * that whoever reads it never sees one without the other. The machines' agents
 * read it too, so this file also runs on Node 20.
 */
import { X509Certificate, createHash, createPrivateKey } from "node:crypto";
import * as z from "zod";

/** Kinds of key that a certificate can have. */
export const keyTypes = ["ecdsa-p256", "rsa-2048"] as const;
export type KeyType = (typeof keyTypes)[number];

/** What a stack's certificate is for, no more and no less. */
export const certificateNames = (domain: string) => [`*.${domain}`, domain];

export const heldCertificate = z.object({
  /** Digest of the chain: changes when, and only when, the certificate does. */
  version: z.string(),
  names: z.array(z.string()),
  /** PEM: the leaf, then its issuers. */
  chain: z.string(),
  /** PEM, PKCS #8. */
  key: z.string(),
  /** Upper-case hexadecimal, as openssl prints it. */
  serial: z.string(),
  notBefore: z.iso.datetime(),
  notAfter: z.iso.datetime(),
  issuedAt: z.iso.datetime(),
  /** What it was ordered as, and by whom. */
  directory: z.url(),
  /** URL of the ACME account; one that was issued long ago does not say. */
  account: z.url().optional(),
  profile: z.string().optional(),
  keyType: z.enum(keyTypes),
});

export type HeldCertificate = z.infer<typeof heldCertificate>;

export interface IssuedCertificate {
  /** PEM. */
  readonly chain: string;
  readonly key: string;
  readonly directory: string;
  readonly account: string;
  readonly profile?: string | undefined;
  readonly keyType: KeyType;
  readonly issuedAt: Date;
}

/** @throws Error when `chain` holds no certificate. */
export function holdCertificate(issued: IssuedCertificate): HeldCertificate {
  const { chain, key, directory, account, profile, keyType, issuedAt } = issued;
  const [leaf] = readChain(chain);
  if (!leaf) throw new Error("The chain holds no certificate");
  return {
    version: createHash("sha256").update(chain).digest("hex"),
    names: dnsNames(leaf),
    chain,
    key,
    serial: leaf.serialNumber,
    notBefore: new Date(leaf.validFrom).toISOString(),
    notAfter: new Date(leaf.validTo).toISOString(),
    issuedAt: issuedAt.toISOString(),
    directory,
    account,
    ...(profile !== undefined && { profile }),
    keyType,
  };
}

/**
 * What is wrong with a certificate that should serve `names` at `now`; empty
 * when nothing is. A key that is not given is not judged. The chain's root is
 * not checked: the authority is known by its directory, and clients know it or
 * do not.
 */
export function certificateProblems(
  { chain: pem, key }: Pick<HeldCertificate, "chain"> & { key?: string },
  names: readonly string[],
  now: Date,
): string[] {
  let chain: X509Certificate[];
  try {
    chain = readChain(pem);
  } catch (error) {
    return [`the chain cannot be read: ${(error as Error).message}`];
  }
  const [leaf] = chain;
  if (!leaf) return ["the chain holds no certificate"];
  return [
    ...(key === undefined ? [] : keyProblems(leaf, key)),
    ...nameProblems(leaf, names),
    ...usageProblems(leaf),
    ...chain.flatMap((link, index) => dateProblems(link, index, now)),
    ...orderProblems(chain),
  ];
}

/** Parses PEM certificates, in the order they stand in. */
export function readChain(pem: string): X509Certificate[] {
  const blocks =
    pem.match(
      /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g,
    ) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}

/** DNS names of a certificate; a common name does not count (RFC 9525). */
export function dnsNames(certificate: X509Certificate): string[] {
  return (certificate.subjectAltName ?? "")
    .split(", ")
    .filter((name) => name.startsWith("DNS:"))
    .map((name) => name.slice("DNS:".length));
}

export function sameNames(
  left: readonly string[],
  right: readonly string[],
): boolean {
  const wanted = new Set(right);
  return (
    new Set(left).size === wanted.size && left.every((name) => wanted.has(name))
  );
}

function keyProblems(leaf: X509Certificate, key: string): string[] {
  try {
    return leaf.checkPrivateKey(createPrivateKey(key))
      ? []
      : ["the key does not belong to the certificate"];
  } catch {
    return ["the key cannot be read"];
  }
}

function nameProblems(
  leaf: X509Certificate,
  names: readonly string[],
): string[] {
  const found = dnsNames(leaf);
  return sameNames(found, names)
    ? []
    : [
        `it is for ${found.join(", ") || "no name"}, not for ${names.join(", ")}`,
      ];
}

/** Extended key usage: TLS server (RFC 5280, 4.2.1.12). */
const serverAuth = "1.3.6.1.5.5.7.3.1";

function usageProblems(leaf: X509Certificate): string[] {
  const usages = leaf.keyUsage as string[] | undefined;
  return [
    ...(leaf.ca ? ["the first certificate is an authority's"] : []),
    ...(usages && !usages.includes(serverAuth)
      ? ["it is not for TLS servers"]
      : []),
  ];
}

/** How much the authority's clock may be ahead of ours, in ms. */
const clockSkew = 5 * 60_000;

function dateProblems(
  link: X509Certificate,
  index: number,
  now: Date,
): string[] {
  const what = index === 0 ? "it" : `issuer ${String(index)} in the chain`;
  if (now.getTime() + clockSkew < Date.parse(link.validFrom)) {
    return [`${what} is not valid before ${link.validFrom}`];
  }
  return now < new Date(link.validTo)
    ? []
    : [`${what} has expired on ${link.validTo}`];
}

function orderProblems(chain: readonly X509Certificate[]): string[] {
  return chain.slice(0, -1).flatMap((link, index) => {
    const issuer = chain[index + 1];
    const right =
      issuer !== undefined &&
      link.checkIssued(issuer) &&
      link.verify(issuer.publicKey);
    return right
      ? []
      : [
          `certificate ${String(index + 2)} of the chain did not sign certificate ${String(index + 1)}`,
        ];
  });
}
