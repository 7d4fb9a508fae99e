/**
 * The text of a TXT record, as Cloudflare's API takes it: one or more quoted
 * character strings (RFC 1035, 5.1), or bare text. The API keeps what it was
 * given; only its dashboard adds quotes.
 */

/** Longest character string, in bytes. */
const longest = 255;

const quotedString = /^\s*"((?:[^"\\]|\\[0-9]{3}|\\[^0-9])*)"\s*/;

/**
 * The character strings of a TXT record, each of at most 255 bytes.
 * @returns undefined when quotes do not match
 */
export function characterStrings(content: string): Buffer[] | undefined {
  if (!content.trimStart().startsWith('"')) return pieces(Buffer.from(content));
  const strings: Buffer[] = [];
  let rest = content;
  while (rest !== "") {
    const match = quotedString.exec(rest);
    if (match?.[1] === undefined) return undefined;
    strings.push(...pieces(unescaped(match[1])));
    rest = rest.slice(match[0].length);
  }
  return strings;
}

/** `\DDD` is a byte by its decimal number, `\X` is X. */
function unescaped(text: string): Buffer {
  const parts = text.matchAll(/\\([0-9]{3})|\\([^0-9])|([^\\]+)/g);
  return Buffer.concat(
    [...parts].map(([, decimal, escaped, plain]) =>
      decimal === undefined
        ? Buffer.from(escaped ?? plain ?? "")
        : Buffer.from([Number(decimal) & 0xff]),
    ),
  );
}

function pieces(bytes: Buffer): Buffer[] {
  const count = Math.max(1, Math.ceil(bytes.length / longest));
  return Array.from({ length: count }, (_, index) =>
    bytes.subarray(index * longest, (index + 1) * longest),
  );
}
