/** When the authority would like a certificate to be renewed (RFC 9773, "ARI"). */
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { createHash } from "node:crypto";
import * as z from "zod";
import { AcmeProblem } from "./acme-problem.ts";
import { type Patience, patientFetch } from "./http.ts";

const schema = z.looseObject({
  suggestedWindow: z
    .looseObject({
      start: z.iso.datetime({ offset: true }),
      end: z.iso.datetime({ offset: true }),
    })
    .refine(({ start, end }) => new Date(start) < new Date(end), {
      error: "the window ends before it starts",
    }),
  explanationURL: z.url().optional(),
});

export interface RenewalInformation {
  readonly start: Date;
  readonly end: Date;
  /** Page that says why, when the authority wants it done early. */
  readonly explanation?: string | undefined;
}

/**
 * Name of a certificate in renewal information and in `replaces`: key
 * identifier of its issuer and serial number (RFC 9773, 4.1).
 * @param chain PEM whose first certificate is meant.
 * @returns `undefined` when the certificate does not name its issuer's key.
 */
export function renewalIdentifier(chain: string): string | undefined {
  const certificate = new x509.X509Certificate(
    x509.PemConverter.decode(chain)[0] ?? "",
  );
  const issuer = certificate.getExtension(
    x509.AuthorityKeyIdentifierExtension,
  )?.keyId;
  if (issuer === undefined) return undefined;
  return `${base64url(issuer)}.${base64url(derInteger(certificate.serialNumber))}`;
}

/** @param url the directory's `renewalInfo`. */
export async function fetchRenewalInformation(
  url: string,
  chain: string,
  patience: Patience = {},
): Promise<RenewalInformation> {
  const identifier = renewalIdentifier(chain);
  if (identifier === undefined) {
    throw new Error("the certificate does not name its issuer's key");
  }
  const response = await patientFetch(
    `${url.replace(/\/$/, "")}/${identifier}`,
    () => ({}),
    patience,
  );
  if (!response.ok) {
    throw await AcmeProblem.from(response, "request for renewal information");
  }
  const { suggestedWindow, explanationURL } = schema.parse(
    await response.json(),
  );
  return {
    start: new Date(suggestedWindow.start),
    end: new Date(suggestedWindow.end),
    explanation: explanationURL,
  };
}

/**
 * The moment inside the window at which this certificate is renewed. Spread
 * evenly over certificates, as RFC 9773 (4.2) asks, and the same at every run,
 * so that nothing has to be remembered.
 */
export function momentInWindow(
  window: RenewalInformation,
  serial: string,
): Date {
  const digest = createHash("sha256").update(serial).digest();
  const fraction = digest.readUInt32BE() / 2 ** 32;
  const { start, end } = window;
  return new Date(
    start.getTime() + fraction * (end.getTime() - start.getTime()),
  );
}

/** DER has a zero byte before a number whose first bit is set. */
function derInteger(hex: string): string {
  return Number.parseInt(hex.slice(0, 2), 16) >= 0x80 ? `00${hex}` : hex;
}

function base64url(hex: string): string {
  return Buffer.from(hex, "hex").toString("base64url");
}
