import { SecretsManagerLiveState } from "./secrets-manager.ts";
import { parseStorePlace } from "./store-place.ts";
import { DirectoryStore, type LiveStateStore } from "./store.ts";

/**
 * The store of a machine.
 * @param documents all that will be read
 * @throws Error when the place is none
 */
export function openStore(
  place: string,
  documents: readonly string[],
): LiveStateStore {
  const found = parseStorePlace(place);
  return "directory" in found
    ? new DirectoryStore(found.directory)
    : new SecretsManagerLiveState(found.region, found.prefix, documents);
}
