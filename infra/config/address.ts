/** Addresses of the configuration, as text: a host and its port. */
import { isIP } from "node:net";

/** 1 to 65535, without leading zeros. */
const port =
  "(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])";

/** Address of an HTTP server: scheme, host and port, and nothing else. */
export const httpAddress = new RegExp(`^http://[A-Za-z0-9._-]+:${port}$`);

/** An IP, which in version 6 may stand in brackets, and a port. */
export const ipAddressAndPort = new RegExp(`^[0-9a-f.:[\\]]+:${port}$`);

/**
 * Cuts what one of the patterns above takes. The text itself is cut, for `URL`
 * drops the port that is the scheme's own (WHATWG URL, 4.4), and HAProxy then
 * takes the port that the client came to.
 * @returns the host without brackets
 */
export function hostAndPort(address: string): { host: string; port: number } {
  const [, host = "", port] =
    /^(?:http:\/\/)?\[?(.+?)\]?:([0-9]+)$/.exec(address) ?? [];
  return { host, port: Number(port) };
}

/** Whether an address and port begin with an IP; see `ipAddressAndPort`. */
export function isIpAndPort(address: string): boolean {
  return isIP(hostAndPort(address).host) !== 0;
}
