/** Where this checkout keeps things. Nothing is written anywhere else. */
import { readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";

export const checkout = resolve(import.meta.dirname, "..");

/**
 * The living lab of this checkout; gone after `npm stop`. A test suite has one
 * of its own, told by number and not by path, so that a suite which starts
 * another checkout's scripts means that checkout's lab.
 */
export const labDirectory = join(
  checkout,
  process.env.DAYTONA_EDGE_LAB_NUMBER
    ? `.lab-${process.env.DAYTONA_EDGE_LAB_NUMBER}`
    : ".lab",
);

/** The test suites' own labs that were started and not removed. */
export function suiteLabDirectories(): string[] {
  return readdirSync(checkout)
    .filter((name) => /^\.lab-[0-9]+$/.test(name))
    .map((name) => join(checkout, name));
}

/** Expensive things keyed by content, shared by checkouts; safe to delete. */
export const cacheDirectory = join(
  process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"),
  "daytona-edge",
);

/** For NODE_COMPILE_CACHE of those who start many short programs of this project. */
export const compileCache = join(checkout, "node_modules/.cache/compiled");

/** What a client in the lab trusts: the web's roots and the ACME server's. */
export const trustFile = join(labDirectory, "ca.pem");

/** Roots of Daytona snapshots beside the lab's own; a suite may put one there. */
export const snapshots = join(cacheDirectory, "snapshots");
