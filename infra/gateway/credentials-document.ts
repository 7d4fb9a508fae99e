/**
 * `egress-credentials.json` of the store: the secrets that rules put into
 * requests. Only the gateway's agent reads it, and HAProxy's memory holds it.
 */
import * as z from "zod";
import { parseJson } from "../machine/parse-json.ts";

/** Name of a secret; rules refer to it. */
export const secretName = /^[a-z][a-z0-9-]{0,62}$/;

/**
 * The characters of tokens (RFC 9110, 11.2, token68, and the colon): those that
 * JSON writes as they are, or an answer could say the secret in another
 * spelling. Shorter ones would be found in answers that do not hold them.
 */
const secret = z
  .string()
  .regex(
    /^[A-Za-z0-9._~+/=:-]{8,2000}$/,
    "is no secret for a header: it needs 8 to 2000 letters, digits and ._~+/=:-",
  );

/** `credentials` of the stack file. */
export const ruleSecrets = z.record(
  z
    .string()
    .regex(
      secretName,
      "is not a name of a secret; write lower-case letters, digits and hyphens, such as openrouter",
    ),
  secret.describe("The secret that rules name so, 8 to 2000 characters."),
);

const document = z.strictObject({
  version: z.literal(1),
  credentials: ruleSecrets,
});

/** Secrets by their names. */
export type Secrets = Readonly<z.infer<typeof ruleSecrets>>;

/** Checks secrets; problems name them, and never say what they are. */
export function parseSecrets(given: unknown): {
  secrets: Secrets;
  problems: { key: string; message: string }[];
} {
  const parsed = ruleSecrets.safeParse(given);
  if (parsed.success) return { secrets: parsed.data, problems: [] };
  return {
    secrets: {},
    problems: parsed.error.issues.map((issue) => ({
      key: issue.path.map(String).join("."),
      message:
        issue.code === "invalid_type"
          ? "is no text; set it: pulumi config set --secret --path credentials.NAME"
          : // Of a name the text stands a level below.
            (issue.code === "invalid_key" && issue.issues[0]?.message) ||
            issue.message,
    })),
  };
}

/** What the gateway's agent reads. */
export function credentialsDocument(credentials: Secrets): string {
  return JSON.stringify({ version: 1, credentials });
}

/**
 * Reads the document.
 * @throws Error that says what is wrong with it, without any of its content
 */
export function verifyCredentials(content: string): Secrets {
  return parseJson(document, content).credentials;
}
