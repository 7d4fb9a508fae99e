/**
 * Sees to it that the store holds a good certificate: the one core behind
 * `pulumi up`, a timer and a function in the cloud. It may be killed at any
 * moment; the next run does the rest.
 */
import * as liveState from "../machine/live-state.ts";
import {
  type Store,
  readDocument,
  writeDocument,
} from "../machine/store/store.ts";
import type { ExternalAccount } from "./acme.ts";
import { fetchDirectory } from "./acme-resources.ts";
import { type WantedCertificate, decide } from "./decide.ts";
import type { Challenge } from "./dns01.ts";
import {
  type HeldCertificate,
  certificateProblems,
} from "./held-certificate.ts";
import { issueCertificate } from "./issue.ts";
import { forgetOrder } from "./order.ts";
import {
  type RenewalInformation,
  fetchRenewalInformation,
} from "./renewal-information.ts";
import { type Ensured, reported } from "./report.ts";

export interface CertificateConfig extends WantedCertificate {
  /** E-mail address for the ACME account. */
  readonly contact?: string | undefined;
  readonly externalAccount?: ExternalAccount | undefined;
}

export interface EnsureArgs {
  readonly config: CertificateConfig;
  /** What the machines read. */
  readonly store: Store;
  /** The account's key and the order under way; no machine reads it. */
  readonly accountStore: Store;
  readonly challenge: Challenge;
  readonly now: () => Date;
  /** One line for people. */
  readonly log: (line: string) => void;
  /** Stops the work; what it has put into DNS is taken away. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * @throws AcmeProblem, CloudflareError or Error in words for the operator; the
 *   certificate that was held stays in the store.
 */
export function ensureCertificate(args: EnsureArgs): Promise<Ensured> {
  const { store, accountStore } = args;
  return store.lock(() =>
    accountStore.lock(() => reported(args, () => ensureAlone(args))),
  );
}

async function ensureAlone(args: EnsureArgs): Promise<Ensured> {
  const { config, store, accountStore, now, log } = args;
  const held = await usableCertificate(args);
  const information = held && (await renewalInformation(held, args));
  const decision = decide(held, information, now(), config);
  if (held && decision.action === "wait") {
    await forgetOrder(accountStore);
    log(
      `certificate ${held.serial} is good until ${held.notAfter}; its renewal is due at ${decision.until.toISOString()}`,
    );
    return {
      action: "kept",
      certificate: held,
      renewalDue: decision.until,
    };
  }
  if (decision.action === "renew") {
    log(`getting a certificate because ${decision.because}`);
  }
  const certificate = await issueCertificate({
    ...args,
    ...config,
    wanted: config,
    predecessor: held,
  });
  await writeDocument(store, liveState.certificate, certificate);
  await forgetOrder(accountStore);
  log(
    `certificate ${certificate.serial} is good until ${certificate.notAfter}`,
  );
  return { action: "issued", certificate };
}

/** The certificate in the store; a damaged one is as good as none. */
async function usableCertificate(
  args: EnsureArgs,
): Promise<HeldCertificate | undefined> {
  const { store, now, log } = args;
  const read = await readDocument(store, liveState.certificate);
  if (!read) return undefined;
  const problems =
    "value" in read
      ? certificateProblems(read.value, read.value.names, now())
      : [read.problem];
  if ("value" in read && problems.length === 0) return read.value;
  log(`the certificate in the store cannot be used: ${problems.join("; ")}`);
  return undefined;
}

/** The authority's wish is asked for, but nothing depends on an answer. */
async function renewalInformation(
  held: HeldCertificate,
  args: EnsureArgs,
): Promise<RenewalInformation | undefined> {
  const { config, log, signal } = args;
  if (held.directory !== config.directory) return undefined;
  try {
    const { renewalInfo } = await fetchDirectory(config.directory, { signal });
    if (renewalInfo === undefined) return undefined;
    return await fetchRenewalInformation(renewalInfo, held.chain, { signal });
  } catch (error) {
    signal?.throwIfAborted();
    log(
      `going by the certificate's age, because the authority could not be asked: ${(error as Error).message}`,
    );
    return undefined;
  }
}
