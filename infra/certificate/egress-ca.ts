/**
 * The gateway's private authority: signs for the hosts whose requests it
 * inspects, and can sign for no other. Its key never leaves the gateway, where
 * this runs inside the agent, on Node 20.
 */
import "reflect-metadata";
import {
  GeneralName,
  GeneralSubtree,
  GeneralSubtrees,
  NameConstraints,
  id_ce_nameConstraints,
} from "@peculiar/asn1-x509";
import { AsnConvert } from "@peculiar/asn1-schema";
import * as x509 from "@peculiar/x509";
import { X509Certificate } from "node:crypto";
import { dnsNames, sameNames } from "./held-certificate.ts";
import { generateKey, keyPair } from "./signing-request.ts";

/** A certificate and its key, both PEM; the key is PKCS #8. */
export interface KeyedCertificate {
  readonly certificate: string;
  readonly key: string;
}

export type Decision =
  | { readonly action: "keep"; readonly until: Date }
  | { readonly action: "renew"; readonly because: string };

/** Life of the authority, in days. */
export const authorityDays = 365;

/** Clocks of sandboxes may be a little behind, in milliseconds. */
export const clockSkew = 3_600_000;

const keyType = "ecdsa-p256";
const signingAlgorithm = { name: "ECDSA", hash: "SHA-256" };
const day = 24 * 60 * 60 * 1000;
/** Part of a life after which a certificate is made anew. */
const usualAge = 2 / 3;

export interface EgressCaArgs {
  /** Hosts that it may sign for; `*.` in front is allowed. */
  readonly names: readonly string[];
  readonly notBefore: Date;
  readonly days: number;
  /** Of the authority that this one renews; a new one when absent. */
  readonly key?: string | undefined;
}

/**
 * Makes an authority that can vouch for `names`, and the names below them
 * (RFC 5280, 4.2.1.10, knows no narrower constraint), for no other host and
 * for no address.
 * @throws Error without a name: an authority without constraint could sign
 *   for anything.
 */
export async function createEgressCa(
  args: EgressCaArgs,
): Promise<KeyedCertificate> {
  const { names, notBefore, days } = args;
  if (names.length === 0) {
    throw new Error("A private authority needs at least one name to sign for");
  }
  const key = args.key ?? (await generateKey(keyType));
  const keys = await keyPair(key, keyType);
  const keyId = await x509.SubjectKeyIdentifierExtension.create(keys.publicKey);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    keys,
    signingAlgorithm,
    // Clients find an issuer by its name, so no two keys share one.
    name: `CN=daytona-edge egress CA ${keyId.keyId.slice(0, 8)}`,
    notBefore,
    notAfter: new Date(notBefore.getTime() + days * day),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      nameConstraints(names),
      keyId,
    ],
  });
  return { certificate: pem(certificate), key };
}

export interface LeafArgs {
  readonly notBefore: Date;
  /** Its life; it ends earlier when the authority does. */
  readonly days: number;
}

/**
 * Makes the certificate that the gateway shows for `host`. That the host is
 * one of the authority's is checked by every client.
 */
export async function createLeaf(
  ca: KeyedCertificate,
  host: string,
  args: LeafArgs,
): Promise<KeyedCertificate> {
  const { notBefore, days } = args;
  const issuer = new x509.X509Certificate(ca.certificate);
  const key = await generateKey(keyType);
  const { publicKey } = await keyPair(key, keyType);
  const notAfter = notBefore.getTime() + days * day;
  const certificate = await x509.X509CertificateGenerator.create({
    publicKey,
    signingKey: (await keyPair(ca.key, keyType)).privateKey,
    signingAlgorithm,
    issuer: issuer.subjectName,
    notBefore: new Date(Math.max(notBefore.getTime(), +issuer.notBefore)),
    notAfter: new Date(Math.min(notAfter, +issuer.notAfter)),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      // Critical because the subject is empty (RFC 5280, 4.2.1.6).
      new x509.SubjectAlternativeNameExtension(
        [{ type: "dns", value: host }],
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  });
  return { certificate: pem(certificate), key };
}

/**
 * Whether the authority is made anew. A sandbox that trusts the one before goes
 * on to call the hosts which that one named.
 */
export function decideEgressCa(
  ca: KeyedCertificate | undefined,
  names: readonly string[],
  now: Date,
): Decision {
  if (!ca) return { action: "renew", because: "there is none yet" };
  const held = new x509.X509Certificate(ca.certificate);
  const permitted = permittedNames(held);
  if (!sameNames(permitted, names.map(constraintOf))) {
    return {
      action: "renew",
      because: `the names changed from ${permitted.join(", ")} to ${names.join(", ")}`,
    };
  }
  return byAge(held, now);
}

/** Those of the hosts that the authority may not sign for. */
export function unvouched(
  ca: KeyedCertificate,
  hosts: readonly string[],
): string[] {
  const permitted = permittedNames(new x509.X509Certificate(ca.certificate));
  return hosts.filter((host) => !permitted.includes(constraintOf(host)));
}

/** Whether the certificate for `host` is made anew. */
export function decideLeaf(
  leaf: KeyedCertificate | undefined,
  ca: KeyedCertificate,
  host: string,
  now: Date,
): Decision {
  if (!leaf) return { action: "renew", because: "there is none yet" };
  const held = new X509Certificate(leaf.certificate);
  const issuer = new X509Certificate(ca.certificate);
  if (!held.checkIssued(issuer) || !held.verify(issuer.publicKey)) {
    return { action: "renew", because: "the authority changed" };
  }
  if (!sameNames(dnsNames(held), [host])) {
    return { action: "renew", because: "it is for another host" };
  }
  return byAge(new x509.X509Certificate(leaf.certificate), now);
}

function byAge(certificate: x509.X509Certificate, now: Date): Decision {
  const { notBefore, notAfter } = certificate;
  const life = notAfter.getTime() - notBefore.getTime();
  const until = new Date(notBefore.getTime() + usualAge * life);
  return now < until
    ? { action: "keep", until }
    : { action: "renew", because: "two thirds of its life are over" };
}

/**
 * Only these names, and no address at all: a constraint on names says nothing
 * about certificates for addresses.
 */
function nameConstraints(names: readonly string[]): x509.Extension {
  const constraints = new NameConstraints({
    permittedSubtrees: subtrees(
      names.map((name) => ({ dNSName: constraintOf(name) })),
    ),
    excludedSubtrees: subtrees([
      { iPAddress: "0.0.0.0/0" },
      { iPAddress: "::/0" },
    ]),
  });
  const der = AsnConvert.serialize(constraints);
  return new x509.Extension(id_ce_nameConstraints, true, der);
}

function subtrees(names: readonly Partial<GeneralName>[]): GeneralSubtrees {
  return new GeneralSubtrees(
    names.map((name) => new GeneralSubtree({ base: new GeneralName(name) })),
  );
}

function permittedNames(ca: x509.X509Certificate): string[] {
  const extension = ca.getExtension(id_ce_nameConstraints);
  if (!extension) return [];
  const constraints = AsnConvert.parse(extension.value, NameConstraints);
  return [...(constraints.permittedSubtrees ?? [])].flatMap(
    ({ base }) => base.dNSName ?? [],
  );
}

/** A constraint holds for the name and all below it, so a wildcard needs no `*`. */
function constraintOf(name: string): string {
  return name.replace(/^\*\./, "");
}

function pem(certificate: x509.X509Certificate): string {
  return `${certificate.toString("pem")}\n`;
}
