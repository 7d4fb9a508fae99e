/**
 * Where live state lies. Documents have names, and each is replaced as a whole: a
 * directory can do that, and so can Secrets Manager.
 */
import type { LiveStateDocument } from "../live-state.ts";

/** What machines may do with it. */
export interface Reader {
  /** `undefined` when there is no such document. */
  read(document: string): Promise<string | undefined>;
}

export interface Store extends Reader {
  /** After it resolves the document survives a power cut; before, the old one does. */
  write(document: string, content: string | Uint8Array): Promise<void>;
  remove(document: string): Promise<void>;
  /** Runs `work` while nobody else holds the lock of this store. */
  lock<T>(work: () => Promise<T>): Promise<T>;
}

/** `undefined` when there is none; `problem` when it is not as it should be. */
export type Read<T> = { value: T } | { problem: string } | undefined;

/** Reads and checks a document. */
export async function readDocument<T>(
  store: Reader,
  { name, parse }: Pick<LiveStateDocument<T>, "name" | "parse">,
): Promise<Read<T>> {
  const content = await store.read(name);
  if (content === undefined) return undefined;
  try {
    return { value: parse(content) };
  } catch (error) {
    return { problem: (error as Error).message };
  }
}

/** Writes a document that is JSON. */
export async function writeDocument(
  store: Pick<Store, "write">,
  { name }: Pick<LiveStateDocument<unknown>, "name">,
  value: unknown,
): Promise<void> {
  await store.write(name, `${JSON.stringify(value, undefined, 2)}\n`);
}
