/** A host name that asks for a port of a sandbox. */
export interface PreviewHost {
  /** The port as it was written, for example "02280". */
  readonly port: string;
  /** A sandbox id, or the token of a signed preview address. */
  readonly target: string;
  /** What is left without the first label, with the port if it had one. */
  readonly baseHost: string;
}

const largestInt64 = 2n ** 63n - 1n;

/**
 * Splits a Host header as Daytona v0.190.0 does: the first label only, cut at
 * its first "-", and a port that Go's strconv.Atoi accepts. So leading zeros
 * and a "+" pass, nothing checks the range, and the spelling is kept: the hole
 * of daytonaio/daytona#5147, which a stand-in must have as well.
 * @returns undefined for a host that is not of this form (the base host).
 */
export function parsePreviewHost(host: string): PreviewHost | undefined {
  const dot = host.indexOf(".");
  if (dot === -1) return undefined;
  const label = host.slice(0, dot);
  const dash = label.indexOf("-");
  if (dash === -1) return undefined;
  const port = label.slice(0, dash);
  const target = label.slice(dash + 1);
  if (!isInteger(port) || target === "") return undefined;
  return { port, target, baseHost: host.slice(dot + 1) };
}

function isInteger(text: string): boolean {
  if (!/^\+?[0-9]+$/.test(text)) return false;
  return BigInt(text.replace("+", "")) <= largestInt64;
}
