/** Where this checkout keeps things. Nothing is written anywhere else. */
import { homedir } from "node:os";
import { join, resolve } from "node:path";

export const checkout = resolve(import.meta.dirname, "..");

/**
 * The living lab of this checkout; gone after `npm stop`. It is told by number,
 * not by path, so that a suite which starts another checkout's scripts means
 * that checkout's lab.
 */
export const labDirectory = labOf(process.env.DAYTONA_EDGE_LAB_NUMBER ?? "1");

/** All that may live at once: the second is the test suites' own. */
export const labDirectories = ["1", "2"].map(labOf);

function labOf(number: string): string {
  return join(checkout, number === "1" ? ".lab" : `.lab-${number}`);
}

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
