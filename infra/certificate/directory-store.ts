/** A store that is a directory; its files are for their owner only. */
import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { withFileLock } from "./file-lock.ts";
import type { CertificateStore } from "./store.ts";

export interface DirectoryStoreOptions {
  /** How long to wait for the lock, in seconds; default 300. */
  readonly lockTimeout?: number;
  /** Called when another run holds the lock. */
  readonly onWait?: () => void;
}

export class DirectoryStore implements CertificateStore {
  readonly #directory: string;
  readonly #options: DirectoryStoreOptions;

  constructor(directory: string, options: DirectoryStoreOptions = {}) {
    this.#directory = directory;
    this.#options = options;
  }

  async read(document: string): Promise<string | undefined> {
    try {
      return await readFile(join(this.#directory, document), "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }

  async write(document: string, content: string | Uint8Array): Promise<void> {
    const path = join(this.#directory, document);
    const temporary = join(this.#directory, `.${document}.tmp`);
    try {
      await this.#create();
      await rm(temporary, { force: true });
      await writeThrough(temporary, content);
      await rename(temporary, path);
      await synchronize(this.#directory);
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined);
      throw new Error(`Cannot write ${path}: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }

  async remove(document: string): Promise<void> {
    await rm(join(this.#directory, document), { force: true });
  }

  async lock<T>(work: () => Promise<T>): Promise<T> {
    await this.#create();
    return withFileLock(join(this.#directory, ".lock"), work, {
      timeout: this.#options.lockTimeout ?? 300,
      onWait: this.#options.onWait,
    });
  }

  async #create(): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
  }
}

async function writeThrough(
  path: string,
  content: string | Uint8Array,
): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The new name of a file is on disk only when its directory is. */
async function synchronize(directory: string): Promise<void> {
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
