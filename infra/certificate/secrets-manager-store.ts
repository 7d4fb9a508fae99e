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
  ResourceExistsException,
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
      // A secret without a value; one that is not there is made, see below.
      if (error instanceof ResourceNotFoundException) return undefined;
      if (await this.#madeInstead(document, {}, error)) return undefined;
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
      if (await this.#madeInstead(document, { SecretString }, error)) return;
      throw this.#failure("write", document, error);
    }
  }

  /**
   * Makes the secret if it is for want of it that a request failed. AWS then
   * denies access, because permissions are for names with the six characters
   * that it adds to a name, and a secret that is not there has none yet. What
   * is there is never overwritten.
   */
  async #madeInstead(
    document: string,
    value: { readonly SecretString?: string },
    error: unknown,
  ): Promise<boolean> {
    const isMissing =
      error instanceof ResourceNotFoundException ||
      (error as Error).name === "AccessDeniedException";
    if (!isMissing) return false;
    const Name = this.#secret(document);
    try {
      await this.#client.send(new CreateSecretCommand({ Name, ...value }));
      return true;
    } catch (failure) {
      if (failure instanceof ResourceExistsException) return false;
      throw this.#failure("create", document, failure);
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
