/**
 * An ACME client (RFC 8555): accounts, orders, authorizations, certificates;
 * profiles (draft-ietf-acme-profiles) and `replaces` (RFC 9773) where the
 * server has them. It knows nothing of DNS, files or renewal.
 */
import { FlattenedSign, type JWK } from "jose";
import { setTimeout as sleep } from "node:timers/promises";
import type * as z from "zod";
import { AcmeProblem } from "./acme-problem.ts";
import {
  type AcmeChallenge,
  type Authorization,
  type Directory,
  type Order,
  authorizationSchema,
  fetchDirectory,
  orderSchema,
} from "./acme-resources.ts";
import { AcmeTransport, type Signer } from "./acme-transport.ts";
import { type Patience, retryAfter } from "./http.ts";

/** Binds the account to one at the authority's web site (RFC 8555, 7.3.4). */
export interface ExternalAccount {
  readonly keyId: string;
  /** base64url, as authorities hand it out. */
  readonly hmacKey: string;
}

/** First and longest pause between two looks at something that is under way, ms. */
const firstPause = 250;
const longestPause = 10_000;
/** How long the authority may take to validate or to issue, in ms. */
const settleLimit = 180_000;

export class AcmeClient {
  readonly #transport: AcmeTransport;
  readonly #patience: Patience;
  readonly directory: Directory;
  #signer: Signer;

  private constructor(
    directory: Directory,
    transport: AcmeTransport,
    patience: Patience,
  ) {
    this.directory = directory;
    this.#transport = transport;
    this.#patience = patience;
    this.#signer = { jwk: transport.publicKey };
  }

  /** @param key private ES256 key of the account, whether it is known yet or not. */
  static async connect(
    directoryUrl: string,
    key: JWK,
    patience: Patience = {},
  ): Promise<AcmeClient> {
    const directory = await fetchDirectory(directoryUrl, patience);
    return new AcmeClient(
      directory,
      await AcmeTransport.create(key, directory.newNonce, patience),
      patience,
    );
  }

  /**
   * Finds the key's account or makes it. An external account binding is often
   * good for one use only, so an account that exists is looked for first.
   * @returns the account's URL.
   */
  async login(registration: {
    readonly contact?: string | undefined;
    readonly externalAccount?: ExternalAccount | undefined;
  }): Promise<string> {
    const account =
      (await this.existingAccount()) ?? (await this.#register(registration));
    this.#signer = { kid: account };
    return account;
  }

  /** URL of the key's account; `undefined` when the authority knows none. */
  async existingAccount(): Promise<string | undefined> {
    try {
      return await this.#account({ onlyReturnExisting: true });
    } catch (error) {
      const unknown =
        error instanceof AcmeProblem && error.type === "accountDoesNotExist";
      if (unknown) return undefined;
      throw error;
    }
  }

  async #register(
    registration: Parameters<AcmeClient["login"]>[0],
  ): Promise<string> {
    const { contact, externalAccount } = registration;
    if (this.directory.meta.externalAccountRequired && !externalAccount) {
      throw new Error(
        "The certificate authority asks for an external account; set ACME_EAB_KID and ACME_EAB_HMAC_KEY to what its web site shows",
      );
    }
    return this.#account({
      termsOfServiceAgreed: true,
      ...(contact && { contact: [`mailto:${contact}`] }),
      ...(externalAccount && {
        externalAccountBinding: await this.#binding(externalAccount),
      }),
    });
  }

  async #account(payload: object): Promise<string> {
    const response = await this.#transport.post(
      this.directory.newAccount,
      { jwk: this.#transport.publicKey },
      "account",
      payload,
    );
    return location(response, "account");
  }

  #binding(externalAccount: ExternalAccount) {
    const payload = JSON.stringify(this.#transport.publicKey);
    return new FlattenedSign(new TextEncoder().encode(payload))
      .setProtectedHeader({
        alg: "HS256",
        kid: externalAccount.keyId,
        url: this.directory.newAccount,
      })
      .sign(Buffer.from(externalAccount.hmacKey, "base64url"));
  }

  /** @param replaces identifier of the predecessor (RFC 9773, 4.1). */
  async newOrder(request: {
    readonly names: readonly string[];
    readonly profile?: string | undefined;
    readonly replaces?: string | undefined;
  }): Promise<Order> {
    const { names, profile, replaces } = request;
    const asked = `order for ${names.join(", ")}`;
    const response = await this.#transport.post(
      this.directory.newOrder,
      this.#signer,
      asked,
      {
        identifiers: names.map((value) => ({ type: "dns", value })),
        ...(profile && { profile }),
        ...(replaces && { replaces }),
      },
    );
    const url = location(response, asked);
    return { ...orderSchema.parse(await response.json()), url };
  }

  async order(url: string): Promise<Order> {
    return { ...(await this.#read(url, "order", orderSchema)), url };
  }

  authorization(url: string): Promise<Authorization> {
    return this.#read(url, "authorization", authorizationSchema);
  }

  /** What proves control of the account's key for a challenge (RFC 8555, 8.1). */
  async keyAuthorization(token: string): Promise<string> {
    return `${token}.${await this.#transport.thumbprint()}`;
  }

  /** Tells the authority to look at the challenge now. */
  async respond(challenge: AcmeChallenge): Promise<void> {
    const { url } = challenge;
    await this.#transport.post(url, this.#signer, "challenge", {});
  }

  /** @param request DER of a PKCS #10 certificate signing request. */
  async finalize(order: Order, request: Uint8Array): Promise<void> {
    await this.#transport.post(order.finalize, this.#signer, "finalization", {
      csr: Buffer.from(request).toString("base64url"),
    });
  }

  /** PEM: the leaf, then its issuers up to, and without, the root. */
  async certificate(order: Order): Promise<string> {
    if (order.certificate === undefined) {
      throw new Error(`Order ${order.url} is valid but names no certificate`);
    }
    const response = await this.#transport.post(
      order.certificate,
      this.#signer,
      "certificate",
    );
    return response.text();
  }

  /** Waits until the order is no longer in one of `passing`. */
  settledOrder(
    url: string,
    passing: readonly Order["status"][],
  ): Promise<Order> {
    return this.#settled(url, "order", orderSchema, passing).then((order) => ({
      ...order,
      url,
    }));
  }

  settledAuthorization(url: string): Promise<Authorization> {
    return this.#settled(url, "authorization", authorizationSchema, [
      "pending",
    ]);
  }

  async #settled<T extends { readonly status: string }>(
    url: string,
    asked: string,
    schema: z.ZodType<T>,
    passing: readonly string[],
  ): Promise<T> {
    const { signal } = this.#patience;
    const deadline = Date.now() + settleLimit;
    for (let pause = firstPause; ; pause = Math.min(pause * 2, longestPause)) {
      const response = await this.#transport.post(url, this.#signer, asked);
      const thing = schema.parse(await response.json());
      if (!passing.includes(thing.status)) return thing;
      if (Date.now() > deadline) {
        throw new Error(
          `The certificate authority has kept the ${asked} ${url} "${thing.status}" for ${String(settleLimit / 1000)} s; run again later: the work goes on where it stands`,
        );
      }
      const wait = Math.min(
        retryAfter(response.headers) ?? pause,
        longestPause,
      );
      await sleep(wait, undefined, signal && { signal });
    }
  }

  async #read<T>(url: string, asked: string, schema: z.ZodType<T>): Promise<T> {
    const response = await this.#transport.post(url, this.#signer, asked);
    return schema.parse(await response.json());
  }
}

function location(response: Response, asked: string): string {
  const url = response.headers.get("location");
  if (url !== null) return new URL(url, response.url).href;
  throw new Error(
    `The certificate authority accepted the ${asked} but did not say where it is (no Location header)`,
  );
}
