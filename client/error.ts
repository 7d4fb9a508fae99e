/** Why the edge did not pass a request on, or has no answer to it. */
export type SandboxErrorCode =
  | "unknown_host"
  | "port_denied"
  | "misdirected_request"
  | "bad_request"
  | "token_missing"
  | "token_invalid"
  | "token_expired"
  | "token_revoked"
  | "rate_limited"
  | "internal_error"
  | "protocol_unsupported"
  | "sandbox_bad_answer"
  | "sandbox_unreachable"
  | "sandbox_timeout";

/** An error of the edge; the application's own errors are answers. */
export class SandboxError extends Error {
  override readonly name = "SandboxError";
  /** A code that is new in the contract comes through as it is. */
  readonly code: SandboxErrorCode | (string & {});
  /** HTTP status. */
  readonly status: number;
  /** Names the request in the edge's log. */
  readonly requestId: string;
  /** When to try again, in seconds, if the edge says so. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    message: string,
    details: Pick<
      SandboxError,
      "code" | "status" | "requestId" | "retryAfterSeconds"
    >,
  ) {
    super(message);
    this.code = details.code;
    this.status = details.status;
    this.requestId = details.requestId;
    this.retryAfterSeconds = details.retryAfterSeconds;
  }
}

/**
 * The edge's own error in an answer, or undefined when the answer is the
 * application's. The edge marks its errors with `X-Sandbox-Error`, which it
 * takes out of every answer of an application.
 */
export async function sandboxErrorFrom(
  response: Response,
): Promise<SandboxError | undefined> {
  const code = response.headers.get("x-sandbox-error");
  if (response.status < 400 || code === null) return undefined;
  const body: unknown = await response.json().catch(() => undefined);
  const { error } = (body ?? {}) as { error?: Record<string, unknown> };
  const retryAfter = Number(response.headers.get("retry-after") ?? Number.NaN);
  return new SandboxError(
    textOf(error?.message) ?? `The edge answered ${String(response.status)}.`,
    {
      code: textOf(error?.code) ?? code,
      status: response.status,
      requestId:
        textOf(error?.requestId) ?? response.headers.get("x-request-id") ?? "",
      retryAfterSeconds: Number.isNaN(retryAfter) ? undefined : retryAfter,
    },
  );
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
