/**
 * Cookies that only the holder of a key can make, like gorilla/securecookie:
 * the name, the time and the value under one HMAC. Like Daytona's, they are
 * not bound to a port.
 */
import { createHmac, timingSafeEqual } from "node:crypto";

/** How long a sealed cookie is good, in seconds. */
export const cookieMaxAge = 3600;

export function sealCookie(key: string, name: string, value: string): string {
  const content = `${String(now())}|${value}`;
  const sealed = `${content}|${mac(key, name, content)}`;
  return Buffer.from(sealed).toString("base64url");
}

/** @returns the value, or undefined when it is forged, renamed or too old */
export function openCookie(
  key: string,
  name: string,
  sealed: string,
): string | undefined {
  const text = Buffer.from(sealed, "base64url").toString();
  const [time = "", value = "", given = ""] = text.split("|");
  const expected = Buffer.from(mac(key, name, `${time}|${value}`));
  const actual = Buffer.from(given);
  if (actual.length !== expected.length) return undefined;
  if (!timingSafeEqual(actual, expected)) return undefined;
  return now() - Number(time) <= cookieMaxAge ? value : undefined;
}

function mac(key: string, name: string, content: string): string {
  return createHmac("sha256", key).update(`${name}|${content}`).digest("hex");
}

function now(): number {
  return Math.floor(Date.now() / 1000);
}
