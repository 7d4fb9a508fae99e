/**
 * The key of the ACME account. Whoever has it can revoke certificates, so it
 * lies in a store of its own, which no machine reads. The account itself is
 * found by its key (RFC 8555, 7.3.1), so nothing else is kept.
 */
import { type JWK, exportJWK, generateKeyPair } from "jose";
import { acmeAccount } from "../machine/live-state.ts";
import {
  type Store,
  readDocument,
  writeDocument,
} from "../machine/store/store.ts";
import { AcmeClient, type ExternalAccount } from "./acme.ts";

/**
 * The account's key; made at the first call, and stored before it is used.
 * @throws Error when it is there but unreadable: a new one would be a new
 *   account, with which CAA records and external accounts do not go together.
 */
export async function accountKey(store: Store): Promise<JWK> {
  const held = await heldKey(store);
  if (held) return held;
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  const key = await exportJWK(privateKey);
  await writeDocument(store, acmeAccount, { key });
  return key;
}

/** @throws Error when it is there but unreadable. */
async function heldKey(store: Store): Promise<JWK | undefined> {
  const read = await readDocument(store, acmeAccount);
  if (!read) return undefined;
  if ("value" in read) return read.value.key;
  throw new Error(
    `${acmeAccount.name} is damaged (${read.problem}); put it back from a backup, or delete it to start a new ACME account`,
  );
}

/**
 * The account as the authority knows it, changing nothing.
 * @returns its URL; `undefined` when there is no key yet, or none that the
 *   authority knows.
 */
export async function findAccount(
  directory: string,
  store: Store,
): Promise<string | undefined> {
  const key = await heldKey(store);
  if (!key) return undefined;
  const client = await AcmeClient.connect(directory, key);
  return client.existingAccount();
}

export interface AccountArgs {
  /** URL of the ACME server's directory. */
  readonly directory: string;
  /** E-mail address. */
  readonly contact?: string | undefined;
  readonly externalAccount?: ExternalAccount | undefined;
  readonly accountStore: Store;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Finds the account or makes it. CAA records name it (RFC 8657), and must do
 * so before a certificate is ordered.
 * @returns the account's URL.
 * @throws AcmeProblem with the authority's own words when it refuses.
 */
export async function ensureAccount(args: AccountArgs): Promise<string> {
  const { directory, accountStore, signal } = args;
  return accountStore.lock(async () => {
    const key = await accountKey(accountStore);
    const client = await AcmeClient.connect(directory, key, { signal });
    return client.login(args);
  });
}
