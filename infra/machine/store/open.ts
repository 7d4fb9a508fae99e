import { DirectoryStore } from "./directory.ts";
import { parseStorePlace } from "./place.ts";
import type { Reader } from "./store.ts";

/**
 * The store of a machine, which writes none of it. AWS' SDK is three quarters of
 * an agent's program, so only a machine that has its store there loads it.
 * @param documents names of all that will be read
 * @throws Error when the place is none
 */
export function openStore(place: string, documents: readonly string[]): Reader {
  const found = parseStorePlace(place);
  if ("directory" in found) return new DirectoryStore(found.directory);
  const opened = import("./secrets-manager.ts").then(
    ({ SecretsManagerReader }) =>
      new SecretsManagerReader(found.region, found.prefix, documents),
  );
  return { read: async (document) => (await opened).read(document) };
}
