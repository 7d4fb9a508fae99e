/**
 * All documents of live state: what each is called, who writes it, who reads it,
 * and what it has to be. On a server it is a file of the store's directory; in
 * the cloud it is a secret, whose name ends with the document's.
 *
 * Each is an export of its own, so that an agent's bundle holds those alone
 * which it reads, and does not change with another's.
 */
import * as z from "zod";
import { heldCertificate, keyTypes } from "../certificate/held-certificate.ts";
import { accessKeysMap } from "../edge/access-keys.ts";
import { parseRevocations } from "../edge/revocations.ts";
import { verifyAuthority } from "../gateway/authority-document.ts";
import { verifyCredentials } from "../gateway/credentials-document.ts";
import { verifyRules } from "../gateway/rules-document.ts";
import { parseJson } from "./parse-json.ts";

/**
 * `stack` is `pulumi up`; `certificate` and `authority` are the programs that
 * make them.
 */
type Writer = "stack" | "operators" | "certificate" | "authority";
type Reader = "edge" | "gateway" | "operators" | "certificate" | "authority";

export interface LiveStateDocument<T> {
  readonly name: string;
  readonly writtenBy: readonly Writer[];
  readonly readBy: readonly Reader[];
  /** @throws Error that says what is wrong with it, without a secret */
  readonly parse: (content: string) => T;
}

export type CertificateReport = z.infer<typeof report>;
export type AcmeOrder = z.infer<typeof order>;

/** The certificate that edges serve, with its key. */
export const certificate = {
  name: "certificate.json",
  writtenBy: ["certificate"],
  readBy: ["certificate", "edge", "operators"],
  parse: (content) => parseJson(heldCertificate, content),
} satisfies LiveStateDocument<unknown>;

/** What became of the last run that looked after the certificate. */
export const certificateReport = {
  name: "certificate-report.json",
  writtenBy: ["certificate"],
  readBy: ["certificate", "edge", "operators"],
  parse: (content) => parseJson(report, content),
} satisfies LiveStateDocument<unknown>;

const report = z.object({
  /** When the last run ended. */
  ranAt: z.iso.datetime(),
  /** What is wrong, in the words that the run ended with; absent when nothing is. */
  error: z.string().optional(),
  /** When a run last ended well. */
  succeededAt: z.iso.datetime().optional(),
  /** When the certificate in the store is to be renewed; unknown just after its issue. */
  renewalDue: z.iso.datetime().optional(),
  /** When certificates were issued in the last week, which authorities limit. */
  issuedAt: z.array(z.iso.datetime()),
});

/**
 * The key of the ACME account. Whoever has it can revoke certificates, so on a
 * server it lies in a store of its own, as the order does.
 */
export const acmeAccount = {
  name: "acme-account.json",
  writtenBy: ["certificate"],
  readBy: ["certificate"],
  parse: (content) => parseJson(account, content),
} satisfies LiveStateDocument<unknown>;

const account = z.object({
  key: z.object({
    kty: z.literal("EC"),
    crv: z.literal("P-256"),
    x: z.string(),
    y: z.string(),
    d: z.string(),
  }),
});

/** The order of a certificate that is under way, with the key for it. */
export const acmeOrder = {
  name: "acme-order.json",
  writtenBy: ["certificate"],
  readBy: ["certificate"],
  parse: (content) => parseJson(order, content),
} satisfies LiveStateDocument<unknown>;

const order = z.object({
  url: z.url(),
  names: z.array(z.string()),
  directory: z.url(),
  profile: z.string().optional(),
  keyType: z.enum(keyTypes),
  key: z.string(),
});

/**
 * What certificates are ordered with, by the variables that the program reads.
 * On a server it is an environment file of systemd's, at a place of its own.
 */
export const certificateCredentials = {
  name: "certificate-credentials.json",
  writtenBy: ["stack"],
  readBy: ["certificate"],
  parse: (content) => parseJson(z.record(z.string(), z.string()), content),
} satisfies LiveStateDocument<unknown>;

/** Whom edges refuse although the token is good. */
export const revocations = {
  name: "revocations.json",
  // The stack writes the first one alone.
  writtenBy: ["stack", "operators"],
  readBy: ["edge", "operators"],
  parse: parseRevocations,
} satisfies LiveStateDocument<unknown>;

/** Keys of tokens that count, where access is `signed`. */
export const accessKeys = {
  name: "access.json",
  writtenBy: ["stack", "operators"],
  readBy: ["edge", "operators"],
  parse: accessKeysMap,
} satisfies LiveStateDocument<unknown>;

/** Secrets that rules put into requests. */
export const egressCredentials = {
  name: "egress-credentials.json",
  writtenBy: ["stack", "operators"],
  readBy: ["gateway"],
  parse: verifyCredentials,
} satisfies LiveStateDocument<unknown>;

/** What gateways that are several sign with; a gateway on a server makes its own. */
export const egressAuthority = {
  name: "egress-authority.json",
  writtenBy: ["authority"],
  readBy: ["authority", "gateway"],
  parse: verifyAuthority,
} satisfies LiveStateDocument<unknown>;

/** What sandboxes may call. On a server it comes with the gateway's bundle. */
export const egressRules = {
  name: "egress-rules.json",
  writtenBy: ["stack"],
  readBy: ["gateway"],
  parse: verifyRules,
} satisfies LiveStateDocument<unknown>;

/** All of them; what another needs comes before it. */
export const documents: readonly LiveStateDocument<unknown>[] = [
  certificate,
  certificateReport,
  acmeAccount,
  acmeOrder,
  certificateCredentials,
  revocations,
  accessKeys,
  egressCredentials,
  egressAuthority,
  egressRules,
];

/** Names of what one of them writes, sorted. */
export const namesWrittenBy = (writer: Writer): string[] =>
  documents
    .filter(({ writtenBy }) => writtenBy.includes(writer))
    .map(({ name }) => name)
    .sort();

/** Names of what one of them reads. */
export const namesReadBy = (reader: Reader): string[] =>
  documents
    .filter(({ readBy }) => readBy.includes(reader))
    .map(({ name }) => name);
