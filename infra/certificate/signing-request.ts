/** Keys of certificates and the requests to have them signed. */
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { createPrivateKey, webcrypto } from "node:crypto";

const algorithms = {
  "ecdsa-p256": { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" },
  "rsa-2048": {
    name: "RSASSA-PKCS1-v1_5",
    modulusLength: 2048,
    publicExponent: new Uint8Array([1, 0, 1]),
    hash: "SHA-256",
  },
} as const;

export type KeyType = keyof typeof algorithms;
export const keyTypes = Object.keys(algorithms) as [KeyType, ...KeyType[]];

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
  const algorithm = algorithms[type];
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    keys: await keyPair(key, algorithm),
    signingAlgorithm: algorithm,
    extensions: [
      new x509.SubjectAlternativeNameExtension(
        names.map((value) => ({ type: "dns", value })),
      ),
    ],
  });
  return new Uint8Array(request.rawData);
}

/** @returns PEM, PKCS #8. */
export async function privateKeyPem(
  key: webcrypto.CryptoKey,
): Promise<string> {
  const der = await webcrypto.subtle.exportKey("pkcs8", key);
  return `${x509.PemConverter.encode(der, "PRIVATE KEY")}\n`;
}

/** @param key PEM, PKCS #8. */
export async function keyPair(
  key: string,
  algorithm: webcrypto.EcKeyAlgorithm | (typeof algorithms)[KeyType],
): Promise<webcrypto.CryptoKeyPair> {
  const pkcs8 = createPrivateKey(key);
  const { subtle } = webcrypto;
  const privateKey = await subtle.importKey(
    "pkcs8",
    pkcs8.export({ format: "der", type: "pkcs8" }),
    algorithm,
    true,
    ["sign"],
  );
  const { d: _, dp, dq, p, q, qi, ...publicJwk } = pkcs8.export({
    format: "jwk",
  });
  const publicKey = await subtle.importKey("jwk", publicJwk, algorithm, true, [
    "verify",
  ]);
  return { privateKey, publicKey };
}
