/** Live state in the directory of a server of the platform host, by SSH. */
import { createHash } from "node:crypto";
import {
  type RemoteScript,
  type Server,
  remoteScript,
} from "../../infra/platforms/host/server.ts";
import type { SshConnection } from "../../infra/platforms/host/ssh.ts";
import type { LiveStateStore } from "./deployment.ts";

export interface ServerStoreOptions {
  /** How long to wait for another operator's command, in seconds; default 60. */
  readonly lockTimeout?: number;
}

/** The certificate comes without its private key: see remote/read-document.sh. */
export class ServerStore implements LiveStateStore {
  readonly #server: Server;
  readonly #connection: Pick<SshConnection, "run" | "hold">;
  readonly #lockTimeout: number;

  /** @param connection to that server; it stays the caller's to close */
  constructor(
    server: Server,
    connection: Pick<SshConnection, "run" | "hold">,
    { lockTimeout = 60 }: ServerStoreOptions = {},
  ) {
    this.#server = server;
    this.#connection = connection;
    this.#lockTimeout = lockTimeout;
  }

  /** @throws Error with what the server said */
  async read(document: string): Promise<string | undefined> {
    const line = this.#line("read-document", { DOCUMENT: document });
    return (await this.#connection.run(line)) || undefined;
  }

  /** @throws Error with what the server said; the old document is then in place */
  async write(document: string, content: string | Uint8Array): Promise<void> {
    const SHA256 = createHash("sha256").update(content).digest("hex");
    const line = this.#line("write-document", { DOCUMENT: document, SHA256 });
    // By standard input: no process list ever shows a secret.
    await this.#connection.run(line, content);
  }

  /** @throws Error when another command still holds the lock after the timeout */
  async lock<T>(work: () => Promise<T>): Promise<T> {
    const TIMEOUT = String(this.#lockTimeout);
    const release = await this.#connection.hold(
      this.#line("lock-store", { TIMEOUT }),
    );
    try {
      return await work();
    } finally {
      await release();
    }
  }

  #line(script: RemoteScript, environment: Record<string, string>): string {
    return remoteScript(this.#server, script, environment);
  }
}
