/** `egress-authority.json` of the store: what all gateways of a stack sign with. */
import { X509Certificate, createPrivateKey } from "node:crypto";
import * as z from "zod";
import type { KeyedCertificate } from "../certificate/egress-ca.ts";
import { parseJson } from "../machine/parse-json.ts";

const schema = z.strictObject({ certificate: z.string(), key: z.string() });

/** @throws Error that says why it is refused; never what it holds */
export function verifyAuthority(content: string): KeyedCertificate {
  const document = parseJson(schema, content);
  let isOne: boolean;
  try {
    const certificate = new X509Certificate(document.certificate);
    isOne =
      certificate.ca &&
      certificate.checkPrivateKey(createPrivateKey(document.key));
  } catch {
    throw new Error("it is no certificate with its key, both PEM");
  }
  if (isOne) return document;
  throw new Error("the key is another one's, or it is no authority");
}
