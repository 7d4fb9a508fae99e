/** What was asked, by whom and of whom; for tests. */

export interface SeenQuery {
  /** ISO 8601. */
  readonly at: string;
  /** Address that was asked. */
  readonly server: string;
  readonly transport: "udp" | "tcp";
  readonly client: string;
  /** As the client spelled it. */
  readonly name: string;
  readonly type: string;
  readonly rcode: number;
}

/** Older ones are forgotten. */
const most = 10_000;

export class QueryLog {
  #queries: SeenQuery[] = [];

  add(query: SeenQuery): void {
    this.#queries.push(query);
    if (this.#queries.length > most) this.#queries.shift();
  }

  list(): readonly SeenQuery[] {
    return this.#queries;
  }

  clear(): void {
    this.#queries = [];
  }
}
