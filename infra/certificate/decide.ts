/** Whether a certificate is renewed now; pure, so that years can be tried in a second. */
import {
  type HeldCertificate,
  type KeyType,
  sameNames,
} from "./held-certificate.ts";
import {
  type RenewalInformation,
  momentInWindow,
} from "./renewal-information.ts";

/** What a certificate is ordered as. */
export interface WantedCertificate {
  readonly names: readonly string[];
  /** URL of the ACME server's directory. */
  readonly directory: string;
  /** Preferred profile; ordered when the directory offers it. */
  readonly profile?: string | undefined;
  readonly keyType: KeyType;
}

export type Decision =
  | { readonly action: "wait"; readonly until: Date }
  | { readonly action: "renew"; readonly because: string };

/** Part of its life after which a certificate is renewed when nobody says better. */
const usualAge = 2 / 3;
/** Part of its life that no window of the authority may go beyond. */
const greatestAge = 5 / 6;

/**
 * @param certificate the one that is held, if any.
 * @param information the authority's renewal window, if it could be had.
 */
export function decide(
  certificate: HeldCertificate | undefined,
  information: RenewalInformation | undefined,
  now: Date,
  wanted: WantedCertificate,
): Decision {
  if (!certificate) return { action: "renew", because: "there is none yet" };
  const change = changeOf(certificate, wanted);
  if (change !== undefined) return { action: "renew", because: change };

  const backstop = momentAt(certificate, greatestAge);
  const suggested =
    information && momentInWindow(information, certificate.serial);
  const due = suggested
    ? new Date(Math.min(suggested.getTime(), backstop.getTime()))
    : momentAt(certificate, usualAge);
  if (now < due) return { action: "wait", until: due };
  return { action: "renew", because: reason(information, suggested, due) };
}

function changeOf(
  held: HeldCertificate,
  wanted: WantedCertificate,
): string | undefined {
  if (!sameNames(held.names, wanted.names)) {
    return `the names changed from ${held.names.join(", ")} to ${wanted.names.join(", ")}`;
  }
  for (const [word, was, is] of [
    ["directory", held.directory, wanted.directory],
    ["profile", held.profile ?? "none", wanted.profile ?? "none"],
    ["key type", held.keyType, wanted.keyType],
  ] as const) {
    if (was !== is) return `the ${word} changed from ${was} to ${is}`;
  }
  return undefined;
}

/** @param age part of the life, 0 to 1. */
function momentAt(certificate: HeldCertificate, age: number): Date {
  const start = Date.parse(certificate.notBefore);
  const end = Date.parse(certificate.notAfter);
  return new Date(start + age * (end - start));
}

function reason(
  information: RenewalInformation | undefined,
  suggested: Date | undefined,
  due: Date,
): string {
  if (!information || !suggested) return "two thirds of its life are over";
  if (due < suggested) {
    return "five sixths of its life are over, and the authority's window is later";
  }
  const why = information.explanation ? ` (${information.explanation})` : "";
  return `the authority asks for it between ${information.start.toISOString()} and ${information.end.toISOString()}${why}`;
}
