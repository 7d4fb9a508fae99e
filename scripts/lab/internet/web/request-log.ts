/** What each host received, so that a test can prove that something did not. */

export interface SeenRequest {
  /** ISO 8601. */
  readonly at: string;
  readonly client: string;
  /** For example `2.0`. */
  readonly httpVersion: string;
  readonly method: string;
  /** As it came, not made canonical. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

export interface SeenByHost {
  /** Connections, whether a request came on them or not. */
  connections: number;
  datagrams: number;
  requests: SeenRequest[];
}

/** Requests of one host that are kept. */
const most = 1_000;

export class RequestLog {
  #hosts = new Map<string, SeenByHost>();

  connected(host: string): void {
    this.#of(host).connections++;
  }

  datagram(host: string): void {
    this.#of(host).datagrams++;
  }

  requested(host: string, request: SeenRequest): void {
    const { requests } = this.#of(host);
    requests.push(request);
    if (requests.length > most) requests.shift();
  }

  byHost(): Readonly<Record<string, SeenByHost>> {
    return Object.fromEntries(this.#hosts);
  }

  clear(): void {
    this.#hosts = new Map();
  }

  #of(host: string): SeenByHost {
    const present = this.#hosts.get(host);
    if (present) return present;
    const seen = { connections: 0, datagrams: 0, requests: [] };
    this.#hosts.set(host, seen);
    return seen;
  }
}
