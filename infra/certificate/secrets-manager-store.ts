/**
 * A store in AWS Secrets Manager: one secret a document, made when it is first
 * written. The stack does not own them, so that one which is destroyed and
 * brought up again finds its account and its certificate.
 */
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  InvalidRequestException,
  PutSecretValueCommand,
  ResourceNotFoundException,
  RestoreSecretCommand,
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
    const SecretId = this.#secret(document);
    try {
      const { SecretString: text } = await this.#undeleted(document, () =>
        this.#client.send(new GetSecretValueCommand({ SecretId })),
      );
      return text === none ? undefined : text;
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return undefined;
      throw this.#failure("read", document, error);
    }
  }

  async write(document: string, content: string | Uint8Array): Promise<void> {
    const SecretId = this.#secret(document);
    const SecretString = Buffer.from(content).toString();
    try {
      await this.#undeleted(document, () =>
        this.#client.send(
          new PutSecretValueCommand({ SecretId, SecretString }),
        ),
      );
    } catch (error) {
      if (!(error instanceof ResourceNotFoundException)) {
        throw this.#failure("write", document, error);
      }
      await this.#create(document, SecretString);
    }
  }

  async #create(document: string, SecretString: string): Promise<void> {
    const Name = this.#secret(document);
    try {
      await this.#client.send(new CreateSecretCommand({ Name, SecretString }));
    } catch (error) {
      throw this.#failure("create", document, error);
    }
  }

  /** A secret that somebody has deleted is had back, as long as that can be. */
  async #undeleted<T>(document: string, send: () => Promise<T>): Promise<T> {
    try {
      return await send();
    } catch (error) {
      if (!(error instanceof InvalidRequestException)) throw error;
      const SecretId = this.#secret(document);
      await this.#client.send(new RestoreSecretCommand({ SecretId }));
      return send();
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
    return new Error(
      `Cannot ${what} the secret ${this.#secret(document)}: ${name}: ${message}`,
      { cause: error },
    );
  }
}
