/** Where the certificate and what belongs to its making are kept. */
import * as z from "zod";

/**
 * Documents by name, each replaced as a whole. A directory is one kind
 * (directory-store.ts); anything that can replace a value atomically can be
 * another.
 */
export interface CertificateStore {
  /** `undefined` when there is no such document. */
  read(document: string): Promise<string | undefined>;
  /** After it resolves the document survives a power cut; before, the old one does. */
  write(document: string, content: string | Uint8Array): Promise<void>;
  remove(document: string): Promise<void>;
  /** Runs `work` while nobody else holds the lock of this store. */
  lock<T>(work: () => Promise<T>): Promise<T>;
}

/**
 * Reads and checks a JSON document.
 * @returns `undefined` when there is none; `problem` when it is not as it should be.
 */
export async function readDocument<T>(
  store: Pick<CertificateStore, "read">,
  document: string,
  schema: z.ZodType<T>,
): Promise<{ value: T } | { problem: string } | undefined> {
  const text = await store.read(document);
  if (text === undefined) return undefined;
  try {
    const parsed = schema.safeParse(JSON.parse(text));
    return parsed.success
      ? { value: parsed.data }
      : { problem: z.prettifyError(parsed.error) };
  } catch (error) {
    return { problem: (error as Error).message };
  }
}

export async function writeDocument(
  store: CertificateStore,
  document: string,
  value: unknown,
): Promise<void> {
  await store.write(document, `${JSON.stringify(value, undefined, 2)}\n`);
}
