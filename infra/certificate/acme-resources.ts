/** What an ACME server answers with (RFC 8555, section 7.1), checked. */
import * as z from "zod";
import { AcmeProblem, problemDocument } from "./acme-problem.ts";
import { type Patience, patientFetch } from "./http.ts";

const directorySchema = z.looseObject({
  newNonce: z.url(),
  newAccount: z.url(),
  newOrder: z.url(),
  renewalInfo: z.url().optional(),
  meta: z
    .looseObject({
      profiles: z.record(z.string(), z.string()).default({}),
      externalAccountRequired: z.boolean().default(false),
    })
    .prefault({}),
});
export type Directory = z.infer<typeof directorySchema>;

export const orderSchema = z.looseObject({
  status: z.enum(["pending", "ready", "processing", "valid", "invalid"]),
  authorizations: z.array(z.url()),
  finalize: z.url(),
  certificate: z.url().optional(),
  error: problemDocument.optional(),
});
export type Order = z.infer<typeof orderSchema> & { readonly url: string };

const challengeSchema = z.looseObject({
  type: z.string(),
  url: z.url(),
  status: z.enum(["pending", "processing", "valid", "invalid"]),
  token: z.string().optional(),
  error: problemDocument.optional(),
});
export type AcmeChallenge = z.infer<typeof challengeSchema>;

export const authorizationSchema = z.looseObject({
  status: z.enum([
    "pending",
    "valid",
    "invalid",
    "deactivated",
    "expired",
    "revoked",
  ]),
  identifier: z.looseObject({ value: z.string() }),
  wildcard: z.boolean().default(false),
  challenges: z.array(challengeSchema),
});
export type Authorization = z.infer<typeof authorizationSchema>;

/** Reads an authority's directory. */
export async function fetchDirectory(
  url: string,
  patience: Patience = {},
): Promise<Directory> {
  const response = await patientFetch(url, () => ({}), patience);
  if (!response.ok) throw await AcmeProblem.from(response, `directory ${url}`);
  const parsed = directorySchema.safeParse(
    await response.json().catch(() => undefined),
  );
  if (parsed.success) return parsed.data;
  throw new Error(
    `${url} answers, but not with an ACME directory; give the URL that the certificate authority names in its documentation`,
  );
}
