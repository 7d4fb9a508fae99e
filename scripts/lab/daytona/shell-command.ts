/**
 * One line for a POSIX shell that runs exactly these words. Every word is in
 * single quotes, where the shell leaves everything but the quote itself alone
 * (POSIX.1-2024, Shell Command Language, 2.2.2).
 */
export function shellCommand(argv: readonly string[]): string {
  return argv
    .map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`)
    .join(" ");
}
