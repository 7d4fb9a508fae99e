/** Changes to the live state `revocations.json`. */
import type { LiveStateStore } from "../deployments/deployment.ts";
import {
  type Revocation,
  placeOf,
  revocationsDocument,
} from "../../infra/edge/revocations.ts";
import { revocations } from "../../infra/machine/live-state.ts";

/**
 * Revokes what was issued until now for a sandbox, or for one port of it.
 * @param now Unix time in milliseconds
 * @returns the document as it lies in the store now
 */
export function revoke(
  store: LiveStateStore,
  sandbox: string,
  port: number | undefined,
  now: number,
): Promise<string> {
  const revocation: Revocation = {
    sandbox,
    ...(port === undefined ? {} : { port }),
    // Times of tokens are whole seconds: one of this very second goes as well.
    notBefore: Math.floor(now / 1000) + 1,
  };
  return change(store, (all) => [
    ...all.filter((one) => placeOf(one) !== placeOf(revocation)),
    revocation,
  ]);
}

/** Takes revocations of a sandbox back: all of them, or those of one port. */
export function restore(
  store: LiveStateStore,
  sandbox: string,
  port: number | undefined,
): Promise<string> {
  return change(store, (all) =>
    all.filter(
      (one) =>
        one.sandbox !== sandbox || (port !== undefined && one.port !== port),
    ),
  );
}

/** @throws Error when the document in the store is not as it should be */
export async function readRevocations(
  store: LiveStateStore,
): Promise<Revocation[]> {
  const content = await store.read(revocations.name);
  try {
    return content === undefined ? [] : revocations.parse(content);
  } catch (error) {
    throw new Error(
      `${revocations.name} in the store cannot be read (${error instanceof Error ? error.message : String(error)}). The edges keep to the last good one; correct it or remove it.`,
      { cause: error },
    );
  }
}

function change(
  store: LiveStateStore,
  to: (revocations: Revocation[]) => Revocation[],
): Promise<string> {
  return store.lock(async () => {
    const content = revocationsDocument(to(await readRevocations(store)));
    await store.write(revocations.name, content);
    return content;
  });
}
