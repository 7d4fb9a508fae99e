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

/** Answers a request with an error in JSON. */
export function sendError(
  request: IncomingMessage,
  response: ServerResponse,
  statusCode: ErrorStatus,
  message: string,
): void {
  const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
  const method = request.method ?? "GET";
  sendJson(
    response,
    statusCode,
    errorBody(statusCode, message, { method, path }),
  );
}

/** Answers with JSON of known length, as Go and Express do. */
export function sendJson(
  response: ServerResponse,
  statusCode: number,
  body: unknown,
): void {
  response.statusCode = statusCode;
  response.setHeader("Content-Type", "application/json; charset=utf-8");
  response.end(JSON.stringify(body));
}
