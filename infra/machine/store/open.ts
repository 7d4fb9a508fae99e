import { DirectoryStore } from "./directory.ts";
import { parseStorePlace } from "./place.ts";
import { SecretsManagerReader } from "./secrets-manager.ts";
import type { Reader } from "./store.ts";

/**
 * The store of a machine, which writes none of it.
 * @param documents names of all that will be read
 * @throws Error when the place is none
 */
export function openStore(place: string, documents: readonly string[]): Reader {
  const found = parseStorePlace(place);
  return "directory" in found
    ? new DirectoryStore(found.directory)
    : new SecretsManagerReader(found.region, found.prefix, documents);
}
