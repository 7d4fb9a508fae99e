import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import {
  type NewSandbox,
  type SandboxRecord,
  freeNumber,
  newPreviewToken,
  newRecord,
  newSignedToken,
  sandboxRecord,
} from "./record.ts";

/** What runs sandboxes. */
export interface SandboxRuntime {
  hasSnapshot(name: string): boolean;
  /** Where the toolbox of a running sandbox listens. */
  toolbox(record: SandboxRecord): { host: string; port: number };
  /** Starts it, unless it runs, and waits until its toolbox answers. */
  start(record: SandboxRecord): Promise<void>;
  stop(record: SandboxRecord): Promise<void>;
  /** Stops it and removes everything that it left. */
  destroy(record: SandboxRecord): Promise<void>;
}

/** A request that the state of the sandboxes does not allow. */
export class SandboxConflict extends Error {}

/**
 * The sandboxes of this server. Every change is on disk before it is carried
 * out, so that a server that was killed carries it out when it starts again.
 */
export class Sandboxes {
  readonly runtime: SandboxRuntime;
  readonly #directory: string;
  readonly #records = new Map<string, SandboxRecord>();
  /** Ids of the sandboxes whose state is being changed. */
  readonly #changing = new Set<string>();

  /** @param directory where the records are kept, one file each */
  constructor(directory: string, runtime: SandboxRuntime) {
    this.runtime = runtime;
    this.#directory = directory;
  }

  /**
   * Reads what is on disk, adds what is missing of the given sandboxes, and
   * brings every sandbox to where its record says.
   */
  async restore(initial: readonly NewSandbox[]): Promise<void> {
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    for (const file of readdirSync(this.#directory)) {
      if (!file.endsWith(".json")) continue;
      const text = readFileSync(join(this.#directory, file), "utf8");
      const record = sandboxRecord.parse(JSON.parse(text));
      this.#records.set(record.id, record);
    }
    // One that was removed since does not come back.
    const added = join(this.#directory, "initial-sandboxes-added");
    if (!existsSync(added)) {
      for (const sandbox of initial) this.#add(sandbox);
      writeFileSync(added, "");
    }
    await Promise.all(
      [...this.#records.values()].map((it) => this.#resume(it)),
    );
  }

  /** Oldest first. */
  list(): SandboxRecord[] {
    return [...this.#records.values()]
      .filter(({ state }) => state !== "destroying")
      .sort((a, b) => a.createdAt.localeCompare(b.createdAt));
  }

  /** By id first, then by name. */
  find(idOrName: string): SandboxRecord | undefined {
    const all = this.list();
    return (
      all.find(({ id }) => id === idOrName) ??
      all.find(({ name }) => name === idOrName)
    );
  }

  /** @throws SandboxConflict when the name is taken */
  async create(chosen: NewSandbox): Promise<SandboxRecord> {
    if (chosen.name !== undefined && this.find(chosen.name)) {
      throw new SandboxConflict(
        `Sandbox with name ${chosen.name} already exists`,
      );
    }
    const record = this.#add(chosen);
    await this.#change(record, () => this.#run(record));
    return record;
  }

  async start(record: SandboxRecord): Promise<void> {
    await this.#change(record, async () => {
      if (record.state === "started") return;
      record.previewToken = newPreviewToken();
      await this.#run(record);
    });
  }

  async stop(record: SandboxRecord): Promise<void> {
    await this.#change(record, async () => {
      this.#save(record, "stopped");
      await this.runtime.stop(record);
    });
  }

  async destroy(record: SandboxRecord): Promise<void> {
    await this.#change(record, async () => {
      this.#save(record, "destroying");
      await this.runtime.destroy(record);
      rmSync(this.#file(record), { force: true });
      this.#records.delete(record.id);
    });
  }

  setPublic(record: SandboxRecord, isPublic: boolean): void {
    record.public = isPublic;
    this.#save(record, record.state);
  }

  /** @param seconds how long the address is good */
  signPreview(record: SandboxRecord, port: number, seconds: number): string {
    const token = newSignedToken();
    const expiresAt = Date.now() + seconds * 1000;
    record.signedPreviews.push({ port, token, expiresAt });
    this.#save(record, record.state);
    return token;
  }

  expirePreview(record: SandboxRecord, port: number, token: string): void {
    record.signedPreviews = record.signedPreviews.filter(
      (signed) => signed.port !== port || signed.token !== token,
    );
    this.#save(record, record.state);
  }

  /** The sandbox of a signed preview address, by its port as written. */
  findSigned(token: string, port: string): SandboxRecord | undefined {
    const now = Date.now();
    return this.list().find(({ signedPreviews }) =>
      signedPreviews.some(
        (signed) =>
          signed.token === token &&
          String(signed.port) === port &&
          signed.expiresAt > now,
      ),
    );
  }

  #add(chosen: NewSandbox): SandboxRecord {
    const others = [...this.#records.values()];
    const taken = new Set(others.map((it) => it.number));
    // Two within a millisecond keep their order when they are read again.
    const latest = Math.max(0, ...others.map((it) => Date.parse(it.createdAt)));
    const createdAt = new Date(Math.max(Date.now(), latest + 1));
    const record = newRecord(chosen, freeNumber(taken), createdAt);
    this.#records.set(record.id, record);
    this.#save(record, "creating");
    return record;
  }

  async #change(
    record: SandboxRecord,
    action: () => Promise<void>,
  ): Promise<void> {
    if (this.#changing.has(record.id)) {
      throw new SandboxConflict("Sandbox state change in progress");
    }
    this.#changing.add(record.id);
    try {
      await action();
    } finally {
      this.#changing.delete(record.id);
    }
  }

  async #run(record: SandboxRecord): Promise<void> {
    try {
      await this.runtime.start(record);
      this.#save(record, "started");
    } catch (error) {
      this.#save(record, "error");
      throw error;
    }
  }

  async #resume(record: SandboxRecord): Promise<void> {
    try {
      if (record.state === "destroying") await this.destroy(record);
      else if (record.state === "stopped") await this.runtime.stop(record);
      else await this.#run(record);
    } catch (error) {
      // One broken sandbox does not keep the server from the others.
      console.error(error);
    }
  }

  #save(record: SandboxRecord, state: SandboxRecord["state"]): void {
    record.state = state;
    record.updatedAt = new Date().toISOString();
    const file = this.#file(record);
    writeFileSync(`${file}.new`, JSON.stringify(record), { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }

  #file({ id }: SandboxRecord): string {
    return join(this.#directory, `${id}.json`);
  }
}
