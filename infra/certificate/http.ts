/** Requests that wait out passing failures, but never longer than asked to. */
import { setTimeout as sleep } from "node:timers/promises";

export interface Patience {
  /** Longest single wait that is put up with, in ms; default 60 s. */
  readonly longestWait?: number;
  /** First wait after a failure that names no time, in ms; doubles; default 1 s. */
  readonly firstWait?: number;
  /** Ends the request and the waits. */
  readonly signal?: AbortSignal | undefined;
}

const attempts = 4;
const requestTimeout = 30_000;

/**
 * Fetches `url`; repeats after a network failure, a 5xx, or a 429 that says
 * when to come back. A server that asks for more than `longestWait` gets its
 * answer returned at once: the caller fails and the next run tries again.
 * @param init called for each attempt, because a signed request is valid once.
 * @throws Error that names the URL when it cannot be reached.
 */
export async function patientFetch(
  url: string,
  init: () => RequestInit | Promise<RequestInit>,
  patience: Patience = {},
): Promise<Response> {
  const { longestWait = 60_000, firstWait = 1_000, signal } = patience;
  for (let attempt = 1; ; attempt++) {
    const backoff = firstWait * 2 ** (attempt - 1);
    const request = await init();
    let wait: number | undefined;
    try {
      const response = await fetch(url, {
        ...request,
        signal: deadline(signal),
      });
      if (response.status < 500 && response.status !== 429) return response;
      wait =
        retryAfter(response.headers) ??
        (response.status === 429 ? undefined : backoff);
      if (attempt === attempts || wait === undefined || wait > longestWait) {
        return response;
      }
      await response.body?.cancel();
    } catch (error) {
      signal?.throwIfAborted();
      if (attempt === attempts) throw unreachable(url, error);
      wait = backoff;
    }
    await sleep(wait, undefined, signal && { signal });
  }
}

/**
 * How long a server asks to wait, in ms; a number of seconds or a date
 * (RFC 9110, 10.2.3).
 */
export function retryAfter(headers: Headers): number | undefined {
  const value = headers.get("retry-after")?.trim();
  if (value === undefined) return undefined;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

function deadline(signal: AbortSignal | undefined): AbortSignal {
  const timeout = AbortSignal.timeout(requestTimeout);
  return signal ? AbortSignal.any([signal, timeout]) : timeout;
}

function unreachable(url: string, error: unknown): Error {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  const why = cause instanceof Error ? cause.message : String(cause);
  return new Error(`${url} cannot be reached: ${why}`, { cause: error });
}
