/** Tokens made by hand, so that they can be wrong in every way. */
import { createHmac } from "node:crypto";

export interface Key {
  readonly kid: string;
  readonly secret: string;
}

const base64url = (value: unknown) =>
  Buffer.from(
    typeof value === "string" ? value : JSON.stringify(value),
  ).toString("base64url");

export const now = () => Math.floor(Date.now() / 1000);

/** Claims of a token that outlives every suite, however slow the machine. */
export function claims(sandbox: string, ports: unknown = 3000) {
  return { sub: sandbox, ports, iat: now(), exp: now() + 3600 };
}

/** A token of any header and claims, signed with HMAC. */
export function sign(
  key: Key,
  payload: unknown,
  header: unknown = { alg: "HS256", typ: "JWT", kid: key.kid },
  hash = "sha256",
): string {
  const text = `${base64url(header)}.${base64url(payload)}`;
  return `${text}.${createHmac(hash, key.secret).update(text).digest("base64url")}`;
}
