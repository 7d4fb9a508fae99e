import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** Where live state lies. */
export interface LiveStateStore {
  /** A document, or undefined when nobody has written it yet. */
  read(name: string): Promise<Document | undefined>;
}

export interface Document {
  /** Changes when the content does. */
  readonly version: string;
  readonly content: Buffer;
}

/** A directory; each document is a file that is only ever replaced as a whole. */
export class DirectoryStore implements LiveStateStore {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async read(name: string): Promise<Document | undefined> {
    try {
      const content = await readFile(join(this.#directory, name));
      const version = createHash("sha256").update(content).digest("hex");
      return { version, content };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }
}
