/** Signed requests to an ACME server (RFC 8555, section 6). */
import {
  type CryptoKey,
  FlattenedSign,
  type JWK,
  calculateJwkThumbprint,
  importJWK,
} from "jose";
import { AcmeProblem } from "./acme-problem.ts";
import { type Patience, patientFetch } from "./http.ts";

/**
 * A server hands out a fresh nonce with every refusal of an old one, so the
 * next attempt normally works. Enough for a server that refuses every second
 * nonce (Pebble does, to find clients that cannot take it).
 */
const nonceAttempts = 15;

/** How a request names its signer: before and after there is an account. */
export type Signer = { readonly jwk: JWK } | { readonly kid: string };

export class AcmeTransport {
  readonly #key: CryptoKey;
  readonly #newNonce: string;
  readonly #patience: Patience;
  /** Public part of the account key. */
  readonly publicKey: JWK;
  #nonce: string | undefined;

  private constructor(
    key: CryptoKey,
    publicKey: JWK,
    newNonce: string,
    patience: Patience,
  ) {
    this.#key = key;
    this.publicKey = publicKey;
    this.#newNonce = newNonce;
    this.#patience = patience;
  }

  /** @param key private ES256 key of the account. */
  static async create(
    key: JWK,
    newNonce: string,
    patience: Patience,
  ): Promise<AcmeTransport> {
    const { kty, crv, x, y } = key;
    return new AcmeTransport(
      (await importJWK(key, "ES256")) as CryptoKey,
      { kty, crv, x, y } as JWK,
      newNonce,
      patience,
    );
  }

  /** RFC 7638 thumbprint of the account key, base64url. */
  thumbprint(): Promise<string> {
    return calculateJwkThumbprint(this.publicKey);
  }

  /**
   * Posts `payload`, or reads `url` when there is none ("POST-as-GET").
   * @param asked what for, in the words of an error message.
   * @throws AcmeProblem when the server refuses.
   */
  async post(
    url: string,
    signer: Signer,
    asked: string,
    payload?: unknown,
  ): Promise<Response> {
    for (let attempt = 1; ; attempt++) {
      const response = await patientFetch(
        url,
        async () => ({
          method: "POST",
          headers: { "content-type": "application/jose+json" },
          body: JSON.stringify(await this.#sign(url, signer, payload)),
        }),
        this.#patience,
      );
      this.#nonce = response.headers.get("replay-nonce") ?? undefined;
      if (response.ok) return response;
      const problem = await AcmeProblem.from(response, asked);
      if (problem.type !== "badNonce" || attempt === nonceAttempts) {
        throw problem;
      }
    }
  }

  async #sign(url: string, signer: Signer, payload: unknown) {
    const bytes = new TextEncoder().encode(
      payload === undefined ? "" : JSON.stringify(payload),
    );
    const nonce = await this.#takeNonce();
    return new FlattenedSign(bytes)
      .setProtectedHeader({ alg: "ES256", nonce, url, ...signer })
      .sign(this.#key);
  }

  /** A nonce is good for one request. */
  async #takeNonce(): Promise<string> {
    const kept = this.#nonce;
    this.#nonce = undefined;
    if (kept !== undefined) return kept;
    const response = await patientFetch(
      this.#newNonce,
      () => ({ method: "HEAD" }),
      this.#patience,
    );
    const nonce = response.headers.get("replay-nonce");
    if (nonce !== null) return nonce;
    throw await AcmeProblem.from(response, "request for a nonce");
  }
}
