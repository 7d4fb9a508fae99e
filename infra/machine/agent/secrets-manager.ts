/** Live state in AWS Secrets Manager, read with the role of the machine. */
import {
  BatchGetSecretValueCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import type { Document, LiveStateStore } from "./store.ts";

/** Documents that are read within this time come of one request, in milliseconds. */
const fresh = 1_000;

/** Longest that a request may take, in milliseconds. */
const patience = 5_000;

type Answer = ReadonlyMap<string, Document | Error>;

/**
 * One secret a document. All are asked for at once, for requests are what
 * Secrets Manager costs: https://aws.amazon.com/secrets-manager/pricing/
 */
export class SecretsManagerLiveState implements LiveStateStore {
  readonly #client: SecretsManagerClient;
  readonly #prefix: string;
  readonly #documents: readonly string[];
  #asked = { at: -Infinity, answer: Promise.resolve<Answer>(new Map()) };

  /**
   * @param prefix what goes before a document's name in its secret's name
   * @param documents all that will be asked for
   */
  constructor(region: string, prefix: string, documents: readonly string[]) {
    this.#client = new SecretsManagerClient({
      region,
      // The next poll is the next try.
      maxAttempts: 1,
      requestHandler: {
        connectionTimeout: patience,
        requestTimeout: patience,
        // Else it only warns, and a request that nobody answers is the last one.
        throwOnRequestTimeout: true,
      },
    });
    this.#prefix = prefix;
    this.#documents = documents;
  }

  async read(name: string): Promise<Document | undefined> {
    const now = performance.now();
    if (now - this.#asked.at > fresh) {
      this.#asked = { at: now, answer: this.#ask() };
    }
    const found = (await this.#asked.answer).get(name);
    if (found instanceof Error) throw found;
    return found;
  }

  async #ask(): Promise<Answer> {
    const { SecretValues = [], Errors = [] } = await this.#client.send(
      new BatchGetSecretValueCommand({
        SecretIdList: this.#documents.map((name) => this.#prefix + name),
      }),
    );
    const answer = new Map<string, Document | Error>();
    for (const { Name, VersionId, SecretString } of SecretValues) {
      if (Name === undefined || SecretString === undefined) continue;
      answer.set(this.#documentOf(Name), {
        version: VersionId ?? "",
        content: Buffer.from(SecretString),
      });
    }
    for (const { SecretId = "", ErrorCode, Message } of Errors) {
      if (ErrorCode === "ResourceNotFoundException") continue;
      // So it is told, too, of a secret that nobody has made yet.
      answer.set(
        this.#documentOf(SecretId),
        new Error(`${SecretId}: ${String(ErrorCode)}: ${String(Message)}`),
      );
    }
    return answer;
  }

  #documentOf(secret: string): string {
    return secret.startsWith(this.#prefix)
      ? secret.slice(this.#prefix.length)
      : secret;
  }
}
