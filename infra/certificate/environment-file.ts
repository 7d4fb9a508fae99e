/** Environment files that systemd and a shell read alike. */

/**
 * One line of such a file.
 * @throws Error for a value that no line can hold
 * @see systemd.exec(5), EnvironmentFile=
 */
export function assignment(name: string, value: string): string {
  if (/[\n\r\0]/.test(value)) {
    throw new Error(`${name} must be one line of text`);
  }
  return `${name}="${value.replace(/["\\$`]/g, "\\$&")}"\n`;
}
