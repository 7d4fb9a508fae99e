/** How Cloudflare says no: in its envelope, with codes of its own. */
import type { ContentfulStatusCode } from "hono/utils/http-status";

export interface CloudflareProblem {
  readonly code: number;
  readonly message: string;
  readonly error_chain?: readonly CloudflareProblem[];
}

/** A refusal with Cloudflare's status and code. */
export class CloudflareRefusal extends Error {
  override readonly name = "CloudflareRefusal";
  readonly status: ContentfulStatusCode;
  readonly problem: CloudflareProblem;

  constructor(
    status: ContentfulStatusCode,
    code: number,
    message: string,
    error_chain?: readonly CloudflareProblem[],
  ) {
    super(message);
    this.status = status;
    this.problem = { code, message, ...(error_chain ? { error_chain } : {}) };
  }
}

/** 400 for a record that is not as it should be. */
export function invalidRecord(code: number, message: string) {
  return new CloudflareRefusal(400, code, message);
}

/** A path, or an identifier in it, that is none. */
export function unroutable(path: string): CloudflareRefusal {
  return new CloudflareRefusal(
    400,
    7003,
    `Could not route to ${path}, perhaps your object identifier is invalid?`,
  );
}
