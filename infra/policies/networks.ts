/** Networks as rules write them. */

/**
 * Whether a network takes in the internet: it is wider than any private one
 * (10.0.0.0/8, fc00::/7). So halves of everything count as everything.
 * @param cidr for example `0.0.0.0/0`
 */
export function isOpen(cidr: string): boolean {
  const [network = "", prefix = ""] = cidr.split("/");
  if (!/^\d+$/.test(prefix)) return false;
  return Number(prefix) < (network.includes(":") ? 7 : 8);
}
