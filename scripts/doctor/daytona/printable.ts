/** What a terminal obeys, or shows in another order than it stands in. */
const controls = /(?![\n\t])[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;

/** Text that moves nobody's cursor: a sandbox could write over what stands above. */
export function printable(text: string): string {
  return text.replaceAll(controls, "");
}
