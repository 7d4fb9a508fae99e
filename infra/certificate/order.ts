/**
 * The order of a certificate, written down with the new key as soon as the
 * authority has it, so that a run that dies leaves its successor an order to
 * go on with, whatever step it has reached.
 */
import type { AcmeClient } from "./acme.ts";
import { type AcmeOrder, acmeOrder } from "../machine/live-state.ts";
import {
  type Store,
  readDocument,
  writeDocument,
} from "../machine/store/store.ts";
import { AcmeProblem } from "./acme-problem.ts";
import type { Order } from "./acme-resources.ts";
import type { WantedCertificate } from "./decide.ts";
import { type HeldCertificate, sameNames } from "./held-certificate.ts";
import { renewalIdentifier } from "./renewal-information.ts";
import { generateKey } from "./signing-request.ts";

export interface OrderArgs {
  readonly wanted: WantedCertificate;
  readonly accountStore: Store;
  /** The certificate that the new one takes the place of. */
  readonly predecessor?: HeldCertificate | undefined;
  readonly log: (line: string) => void;
}

export interface OrderAndKey {
  readonly order: Order;
  /** PEM, PKCS #8; for the new certificate. */
  readonly key: string;
}

/** The order of a run that died if there is a usable one, else a new one. */
export async function openOrder(
  client: AcmeClient,
  args: OrderArgs,
): Promise<OrderAndKey> {
  return (await resumeOrder(client, args)) ?? (await placeOrder(client, args));
}

/** Forgets the order of a run that has come to its end. */
export async function forgetOrder(store: Store): Promise<void> {
  await store.remove(acmeOrder.name);
}

async function resumeOrder(
  client: AcmeClient,
  args: OrderArgs,
): Promise<OrderAndKey | undefined> {
  const { accountStore, wanted, predecessor, log } = args;
  const read = await readDocument(accountStore, acmeOrder);
  if (!read || !("value" in read) || !isFor(read.value, wanted)) {
    return undefined;
  }
  const { url, key } = read.value;
  // An order whose certificate is in the store already is a finished one.
  if (key === predecessor?.key) return undefined;
  try {
    const order = await client.order(url);
    if (order.status === "invalid") return undefined;
    log(`going on with order ${url} (${order.status})`);
    return { order, key };
  } catch (error) {
    // Orders expire, and a test server forgets them when it restarts.
    if (!isRefusal(error)) throw error;
    return undefined;
  }
}

function isFor(order: AcmeOrder, wanted: WantedCertificate): boolean {
  return (
    sameNames(order.names, wanted.names) &&
    order.directory === wanted.directory &&
    order.profile === wanted.profile &&
    order.keyType === wanted.keyType
  );
}

async function placeOrder(
  client: AcmeClient,
  args: OrderArgs,
): Promise<OrderAndKey> {
  const { wanted, accountStore, log } = args;
  const { names, directory, profile, keyType } = wanted;
  const key = await generateKey(keyType);
  const order = await newOrder(client, args);
  log(`order ${order.url} for ${names.join(", ")}`);
  await writeDocument(accountStore, acmeOrder, {
    url: order.url,
    names: [...names],
    directory,
    profile,
    keyType,
    key,
  } satisfies AcmeOrder);
  return { order, key };
}

async function newOrder(client: AcmeClient, args: OrderArgs): Promise<Order> {
  const { wanted, predecessor, log } = args;
  const { profiles } = client.directory.meta;
  const offered = wanted.profile !== undefined && wanted.profile in profiles;
  const request = {
    names: wanted.names,
    profile: offered ? wanted.profile : undefined,
  };
  const replaces =
    client.directory.renewalInfo && predecessor?.directory === wanted.directory
      ? renewalIdentifier(predecessor.chain)
      : undefined;
  if (replaces === undefined) return client.newOrder(request);
  try {
    return await client.newOrder({ ...request, replaces });
  } catch (error) {
    // It was replaced before, or the authority does not know it: that costs
    // the exemption from rate limits, not the certificate.
    if (!isRefusal(error)) throw error;
    log(`ordering without "replaces": ${error.detail}`);
    return client.newOrder(request);
  }
}

/** A no to this very request; not "too often", nor a fault of the authority. */
function isRefusal(error: unknown): error is AcmeProblem {
  return error instanceof AcmeProblem && (error.status ?? 500) < 429;
}
