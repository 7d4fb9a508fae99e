/**
 * A store in AWS Secrets Manager: one secret a document. Machines and writers
 * read it each in their own way: machines ask for all documents in one request,
 * because requests cost, and a writer for one at a time, because it may have to
 * make or restore the secret.
 * @see https://aws.amazon.com/secrets-manager/pricing/
 */
import {
  BatchGetSecretValueCommand,
  CreateSecretCommand,
  GetSecretValueCommand,
  InvalidRequestException,
  PutSecretValueCommand,
  ResourceExistsException,
  ResourceNotFoundException,
  RestoreSecretCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import type { Reader, Store } from "./store.ts";

/** A secret cannot be empty; this stands for a document that is none. */
const none = "\n";

const textOf = (secret: string | undefined) =>
  secret === none ? undefined : secret;

/** Documents that are read within this time come of one request, in milliseconds. */
const fresh = 1_000;

/** Longest that a machine's request may take, in milliseconds. */
const patience = 5_000;

/** By the names of the secrets. */
type Answer = ReadonlyMap<string, string | Error>;

/** What a machine reads, with its own role. */
export class SecretsManagerReader implements Reader {
  readonly #client: SecretsManagerClient;
  readonly #prefix: string;
  readonly #secrets: string[];
  #asked = { at: -Infinity, answer: Promise.resolve<Answer>(new Map()) };

  /**
   * @param prefix what goes before a document's name in its secret's name
   * @param documents names of all that will be asked for
   */
  constructor(region: string, prefix: string, documents: readonly string[]) {
    this.#client = new SecretsManagerClient({
      region,
      // The next poll is the next try.
      maxAttempts: 1,
      requestHandler: {
        connectionTimeout: patience,
        requestTimeout: patience,
        // Else it only warns, and a hung request blocks forever.
        throwOnRequestTimeout: true,
      },
    });
    this.#prefix = prefix;
    this.#secrets = documents.map((name) => prefix + name);
  }

  async read(document: string): Promise<string | undefined> {
    const now = performance.now();
    if (now - this.#asked.at > fresh) {
      this.#asked = { at: now, answer: this.#ask() };
    }
    const found = (await this.#asked.answer).get(this.#prefix + document);
    if (found instanceof Error) throw found;
    return found;
  }

  async #ask(): Promise<Answer> {
    const { SecretValues = [], Errors = [] } = await this.#client.send(
      new BatchGetSecretValueCommand({ SecretIdList: this.#secrets }),
    );
    const answer = new Map<string, string | Error>();
    for (const { Name = "", SecretString } of SecretValues) {
      const text = textOf(SecretString);
      if (text !== undefined) answer.set(Name, text);
    }
    for (const { SecretId = "", ErrorCode, Message } of Errors) {
      if (ErrorCode === "ResourceNotFoundException") continue;
      // Such as a denial, which also comes for a secret that is not made yet.
      const error = `${SecretId}: ${String(ErrorCode)}: ${String(Message)}`;
      answer.set(SecretId, new Error(error));
    }
    return answer;
  }
}

/**
 * What writers use. A secret is made when it is first written: the stack does
 * not own it, so that one which is destroyed and brought up again finds its
 * account and its certificate.
 */
export class SecretsManagerStore implements Store {
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
      const { SecretString } = await this.#undeleted(document, () =>
        this.#client.send(new GetSecretValueCommand({ SecretId })),
      );
      return textOf(SecretString);
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
      error instanceof ResourceNotFoundException || isDenied(error);
    if (!isMissing) return false;
    const Name = this.#secret(document);
    try {
      await this.#client.send(new CreateSecretCommand({ Name, ...value }));
      return true;
    } catch (failure) {
      if (failure instanceof ResourceExistsException) return false;
      // Who may only read wants the right to read.
      if (isDenied(error) && isDenied(failure)) return false;
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

function isDenied(error: unknown): boolean {
  return (error as Error).name === "AccessDeniedException";
}
