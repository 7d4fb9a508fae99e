import type { IncomingMessage, ServerResponse } from "node:http";

/** The body of every error that Daytona's API and proxy answer. */
export interface ErrorBody {
  readonly statusCode: number;
  readonly message: string;
  readonly code: string;
  /** ISO 8601. */
  readonly timestamp: string;
  readonly path: string;
  readonly method: string;
}

export type ErrorStatus = keyof typeof codes;

const codes = {
  400: "BAD_REQUEST",
  401: "UNAUTHORIZED",
  404: "NOT_FOUND",
  408: "REQUEST_TIMEOUT",
  409: "CONFLICT",
  500: "INTERNAL_SERVER_ERROR",
} as const;

/** @param path path of the request without its query */
export function errorBody(
  statusCode: ErrorStatus,
  message: string,
  request: { readonly method: string; readonly path: string },
): ErrorBody {
  return {
    statusCode,
    message,
    code: codes[statusCode],
    timestamp: new Date().toISOString(),
    path: request.path,
    method: request.method,
  };
}

/**
 * Answers a request with an error in JSON.
 * @param path what the error names; the request's own path by default
 */
export function sendError(
  request: IncomingMessage,
  response: ServerResponse,
  statusCode: ErrorStatus,
  message: string,
  path = (request.url ?? "/").split("?", 1)[0] ?? "/",
): void {
  const method = request.method ?? "GET";
  sendJson(
    response,
    statusCode,
    errorBody(statusCode, message, { method, path }),
  );
}

/**
 * The path as errors of Daytona's proxy and runner name it, Go's `URL.Path`:
 * decoded and without the query.
 * @param url request target as Node has it, a character for each byte
 */
export function decodedPath(url: string): string {
  const [path = ""] = url.split("?", 1);
  const bytes = path.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, "latin1").toString("utf8");
}

/** Answers with JSON of known length, as Go and Express do. */
export function sendJson(
  response: ServerResponse,
  statusCode: number,
  body: unknown,
): void {
  response.statusCode = statusCode;
  response.setHeader("Content-Type", "application/json; charset=utf-8");
  response.end(goJson(body));
}

/** Go writes these characters of a text as escapes. */
function goJson(body: unknown): string {
  return JSON.stringify(body).replaceAll(
    /[<>&\u2028\u2029]/g,
    (character) =>
      `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
