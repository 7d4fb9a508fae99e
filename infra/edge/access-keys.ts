/** The live state `access.json`: which keys sign tokens that count. */
import * as z from "zod";
import { parseJson } from "../machine/parse-json.ts";

const key = z.object({ kid: z.string(), secret: z.string() });
const none = "it has no keys";
const document = z.object({ keys: z.array(key, none).min(1, none) });

/**
 * Checks the document as a whole.
 * @returns the map that haproxy.cfg reads, kid and secret
 * @throws Error that says what is wrong with it, without a secret
 */
export function accessKeysMap(content: string): string {
  const { keys } = parseJson(document, content);
  const lines = keys.map(({ kid, secret }) => {
    if (!/^[A-Za-z0-9_-]{1,64}$/.test(kid)) {
      throw new Error(`${JSON.stringify(kid)} is not the name of a key`);
    }
    // HAProxy takes 32 to 256; RFC 7518, section 3.2 asks for 256 bits.
    if (!/^[A-Za-z0-9_-]{43,256}$/.test(secret)) {
      throw new Error(`key ${kid} is not 43 to 256 letters and digits`);
    }
    return `${kid} ${secret}\n`;
  });
  if (new Set(lines.map((line) => line.split(" ", 1)[0])).size < lines.length) {
    throw new Error("two keys have one name");
  }
  return lines.sort().join("");
}
