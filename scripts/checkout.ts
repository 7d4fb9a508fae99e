/** Where this checkout keeps things. Nothing is written anywhere else. */
import { homedir } from "node:os";
import { join, resolve } from "node:path";

export const checkout = resolve(import.meta.dirname, "..");

/** The living lab of this checkout; gone after `npm stop`. */
export const labDirectory = join(checkout, ".lab");

/** Expensive things keyed by content, shared by checkouts; safe to delete. */
export const cacheDirectory = join(
  process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"),
  "daytona-edge",
);

/** The store that a machine of the lab reads its live state from. */
export function storeDirectory(machine: string): string {
  return join(labDirectory, "stores", machine);
}

/** What only the maker of an edge's certificate may see. */
export function certificateDirectory(edge: string): string {
  return join(labDirectory, "certificates", edge);
}
