/** A store that is a directory; its files are for their owner only. */
import { readFileSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { writeAtomically } from "../write-atomically.ts";
import { withFileLock } from "./file-lock.ts";
import type { Store } from "./store.ts";

export interface DirectoryStoreOptions {
  /** How long to wait for the lock, in seconds; default 300. */
  readonly lockTimeout?: number;
  /** Called when another run holds the lock. */
  readonly onWait?: () => void;
}

export class DirectoryStore implements Store {
  readonly #directory: string;
  readonly #options: DirectoryStoreOptions;

  constructor(directory: string, options: DirectoryStoreOptions = {}) {
    this.#directory = directory;
    this.#options = options;
  }

  async read(document: string): Promise<string | undefined> {
    // Agents read every second: a small file costs less than the turns of a thread.
    await setImmediate();
    try {
      return readFileSync(join(this.#directory, document), "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }

  async write(document: string, content: string | Uint8Array): Promise<void> {
    const path = join(this.#directory, document);
    try {
      await this.#create();
      await writeAtomically(path, content, 0o600);
    } catch (error) {
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
