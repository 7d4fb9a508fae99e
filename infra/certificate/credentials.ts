/**
 * What the certificate's program needs and nobody may see. It gets them by its
 * environment: from a file of root's, or from a secret of the cloud's.
 */
import * as z from "zod";
import type { ExternalAccount } from "./acme.ts";
import { assignment } from "./environment-file.ts";

/** Address of Cloudflare's API. */
export const cloudflareApi = "https://api.cloudflare.com/client/v4";

/** Neither Cloudflare's nor an ACME server's hold anything else. */
const token = z
  .string()
  .regex(
    /^[A-Za-z0-9._~+/=-]{8,2000}$/,
    "is no token; it has 8 to 2000 letters, digits and ._~+/=-",
  );

/** `certificateCredentials` of the stack file. */
export const certificateSecrets = z.strictObject({
  challengeToken: token
    .optional()
    .describe(
      "Cloudflare API token for the zone of certificate.challenge, good for nothing else; the stack's own token when absent.",
    ),
  externalAccount: z
    .strictObject({
      keyId: token.describe("The key identifier that the authority gave you."),
      hmacKey: token.describe(
        "The HMAC key that the authority gave you, as base64url.",
      ),
    })
    .optional()
    .describe(
      "External account binding (EAB; RFC 8555, 7.3.4), for an authority that asks for one.",
    ),
});

/** Values by the variables that the program reads. */
export type CertificateCredentials = Readonly<Record<string, string>>;

/**
 * Checks the credentials; problems name them, and never say what they are.
 * @param cloudflareToken the stack's own; the challenge's goes before it
 */
export function parseCertificateCredentials(
  value: unknown,
  cloudflareToken: string | undefined,
): {
  credentials: CertificateCredentials;
  problems: { key: string; message: string }[];
} {
  const parsed = certificateSecrets.safeParse(value);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, code, message }) => ({
      key: path.map(String).join("."),
      message:
        code === "invalid_type"
          ? "is no text; set it: pulumi config set --secret --path certificateCredentials.NAME"
          : message,
    }));
    return { credentials: {}, problems };
  }
  const { challengeToken, externalAccount } = parsed.data;
  const apiToken = challengeToken ?? cloudflareToken;
  if (!apiToken) {
    const message =
      "there is no token for Cloudflare; pulumi config set --secret cloudflare:apiToken, or set CLOUDFLARE_API_TOKEN, to one with Zone / DNS / Edit on the zone";
    return { credentials: {}, problems: [{ key: "", message }] };
  }
  return {
    credentials: {
      CLOUDFLARE_API_TOKEN: apiToken,
      ...(externalAccount && {
        ACME_EAB_KID: externalAccount.keyId,
        ACME_EAB_HMAC_KEY: externalAccount.hmacKey,
      }),
    },
    problems: [],
  };
}

/**
 * What the program makes of the variables.
 * @returns the token only when it is asked for: an account needs none
 */
export function readCredentials(
  variables: Readonly<Record<string, string | undefined>>,
): {
  cloudflareToken: () => string;
  externalAccount: ExternalAccount | undefined;
} {
  const keyId = variables.ACME_EAB_KID;
  const hmacKey = variables.ACME_EAB_HMAC_KEY;
  return {
    externalAccount: keyId && hmacKey ? { keyId, hmacKey } : undefined,
    cloudflareToken: () => {
      if (variables.CLOUDFLARE_API_TOKEN) return variables.CLOUDFLARE_API_TOKEN;
      throw new Error(
        "CLOUDFLARE_API_TOKEN is not set; it must hold a Cloudflare API token with Zone / DNS / Edit on the zone",
      );
    },
  };
}

/** As an environment file. */
export function credentialsFile(credentials: CertificateCredentials): string {
  return Object.entries(credentials)
    .map(([name, value]) => assignment(name, value))
    .join("");
}
