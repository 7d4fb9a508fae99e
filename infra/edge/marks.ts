/** How haproxy.cfg marks a connection with the sandbox that it is for. */
import { crc32 } from "node:zlib";

/**
 * The marks of what a revocation cuts: connections to these sandboxes, and all
 * that came by a signed preview host, which does not say whose it is.
 */
export function revokedMarks(
  sandboxes: Iterable<string>,
): (mark: number) => boolean {
  const marks = new Set([...sandboxes].map((id) => crc32(id) & 0x7fffffff));
  return (mark) => marks.has(mark) || mark >= 0x80000000;
}
