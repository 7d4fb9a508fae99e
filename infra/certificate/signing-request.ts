/** Keys of certificates and the requests to have them signed. */
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { createPrivateKey, createPublicKey, webcrypto } from "node:crypto";
import type { KeyType } from "./held-certificate.ts";

const algorithms = {
  "ecdsa-p256": { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" },
  "rsa-2048": {
    name: "RSASSA-PKCS1-v1_5",
    modulusLength: 2048,
    publicExponent: new Uint8Array([1, 0, 1]),
    hash: "SHA-256",
  },
} as const satisfies Record<KeyType, object>;

/** @returns PEM, PKCS #8. */
export async function generateKey(type: KeyType): Promise<string> {
  const pair = await webcrypto.subtle.generateKey(algorithms[type], true, [
    "sign",
    "verify",
  ]);
  return privateKeyPem(pair.privateKey);
}

/**
 * A PKCS #10 request for `names`. It has no common name: authorities have
 * stopped putting one into certificates, and it could hold one name only.
 * @param key PEM, PKCS #8.
 * @returns DER.
 */
export async function signingRequest(
  names: readonly string[],
  key: string,
  type: KeyType,
): Promise<Uint8Array> {
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    keys: await keyPair(key, type),
    signingAlgorithm: algorithms[type],
    extensions: [
      new x509.SubjectAlternativeNameExtension(
        names.map((value) => ({ type: "dns", value })),
      ),
    ],
  });
  return new Uint8Array(request.rawData);
}

/** @returns PEM, PKCS #8. */
async function privateKeyPem(key: webcrypto.CryptoKey): Promise<string> {
  const der = await webcrypto.subtle.exportKey("pkcs8", key);
  return `${x509.PemConverter.encode(der, "PRIVATE KEY")}\n`;
}

/** @param key PEM, PKCS #8. */
export async function keyPair(
  key: string,
  type: KeyType,
): Promise<webcrypto.CryptoKeyPair> {
  const algorithm = algorithms[type];
  const { subtle } = webcrypto;
  const pkcs8 = createPrivateKey(key).export({ format: "der", type: "pkcs8" });
  const spki = createPublicKey(key).export({ format: "der", type: "spki" });
  return {
    privateKey: await subtle.importKey("pkcs8", pkcs8, algorithm, false, [
      "sign",
    ]),
    publicKey: await subtle.importKey("spki", spki, algorithm, true, [
      "verify",
    ]),
  };
}
