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

const day = 24 * 60 * 60_000;

/** Longest time from one run to the next, in ms; the schedules keep to it. */
export const runInterval = day;

/** Part of its life after which a certificate is renewed when nobody says better. */
const usualAge = 2 / 3;
/** And of one so short that a third of it is gone after two runs that fail. */
const shortLife = 10 * day;
const shortLivedAge = 1 / 2;
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
    ? earlier(suggested, backstop)
    : momentAt(certificate, usualAgeOf(certificate));
  // A run that comes too early is better than one that misses the window
  // (RFC 9773, 4.2), or finds the certificate older than it should get.
  const latest = information ? earlier(information.end, backstop) : due;
  const nextRun = new Date(now.getTime() + runInterval);
  if (now < due && nextRun < latest) return { action: "wait", until: due };
  return { action: "renew", because: reason(certificate, information, due) };
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

function lifeOf(certificate: HeldCertificate): number {
  return Date.parse(certificate.notAfter) - Date.parse(certificate.notBefore);
}

function usualAgeOf(certificate: HeldCertificate): number {
  return lifeOf(certificate) < shortLife ? shortLivedAge : usualAge;
}

/** @param age part of the life, 0 to 1. */
function momentAt(certificate: HeldCertificate, age: number): Date {
  const start = Date.parse(certificate.notBefore);
  return new Date(start + age * lifeOf(certificate));
}

function earlier(one: Date, other: Date): Date {
  return one < other ? one : other;
}

function reason(
  certificate: HeldCertificate,
  information: RenewalInformation | undefined,
  due: Date,
): string {
  if (!information) {
    const age = usualAgeOf(certificate) === usualAge ? "two thirds" : "half";
    return `${age} of its life are over before the next run`;
  }
  if (due < information.start) {
    return "five sixths of its life are over before the next run, and the authority's window is later";
  }
  const why = information.explanation ? ` (${information.explanation})` : "";
  return `the authority asks for it between ${information.start.toISOString()} and ${information.end.toISOString()}${why}`;
}
