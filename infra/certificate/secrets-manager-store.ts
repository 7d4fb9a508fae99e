/** A store in AWS Secrets Manager: one secret a document, all made by the stack. */
import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
  type SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import type { CertificateStore } from "./store.ts";

/** A secret cannot be empty; this stands for a document that is none. */
const none = "\n";

export class SecretsManagerStore implements CertificateStore {
  readonly #client: SecretsManagerClient;
  readonly #prefix: string;

  /** @param prefix what goes before a document's name in its secret's name */
  constructor(client: SecretsManagerClient, prefix: string) {
    this.#client = client;
    this.#prefix = prefix;
  }

  async read(document: string): Promise<string | undefined> {
    try {
      const { SecretString: text } = await this.#client.send(
        new GetSecretValueCommand({ SecretId: this.#secret(document) }),
      );
      return text === none ? undefined : text;
    } catch (error) {
      // A secret that nobody has written to yet has no value.
      if (error instanceof ResourceNotFoundException) return undefined;
      throw this.#failure("read", document, error);
    }
  }

  async write(document: string, content: string | Uint8Array): Promise<void> {
    try {
      await this.#client.send(
        new PutSecretValueCommand({
          SecretId: this.#secret(document),
          SecretString: Buffer.from(content).toString(),
        }),
      );
    } catch (error) {
      throw this.#failure("write", document, error);
    }
  }

  async remove(document: string): Promise<void> {
    // Each write is a version, and there is nothing to take away most times.
    if ((await this.read(document)) !== undefined) {
      await this.write(document, none);
    }
  }

  /** The function's reserved concurrency of 1 is the lock. */
  lock<T>(work: () => Promise<T>): Promise<T> {
    return work();
  }

  #secret(document: string): string {
    return `${this.#prefix}${document}`;
  }

  #failure(what: string, document: string, error: unknown): Error {
    const { name, message } = error as Error;
    const fix =
      error instanceof ResourceNotFoundException
        ? "; the stack makes it: pulumi up"
        : "";
    return new Error(
      `Cannot ${what} the secret ${this.#secret(document)}: ${name}: ${message}${fix}`,
      { cause: error },
    );
  }
}
