/** How a machine is told where its live state lies. */

/** @param prefix what goes before a document's name in its secret's name */
export function secretsManagerPlace(region: string, prefix: string): string {
  return `secretsmanager:${region}:${prefix}`;
}

/**
 * @param text a directory, or `secretsmanager:REGION:PREFIX`
 * @throws Error for anything else
 */
export function parseStorePlace(
  text: string,
):
  { readonly directory: string } | { readonly region: string; prefix: string } {
  if (text.startsWith("/")) return { directory: text };
  const [, region, prefix] = /^secretsmanager:([^:]+):(.+)$/.exec(text) ?? [];
  if (region === undefined || prefix === undefined) {
    throw new Error(
      `${JSON.stringify(text)} is no store; it is a directory or secretsmanager:REGION:PREFIX`,
    );
  }
  return { region, prefix };
}
