import type { IncomingMessage } from "node:http";

/** Switches Daytona's own CORS answers off for one request. */
const disableHeader = "x-daytona-disable-cors";

/**
 * Daytona's default: any origin is allowed, with credentials. Takes the header
 * that switches it off away from the request.
 * @returns the headers for the answer; none when nobody asked
 */
export function corsHeaders(request: IncomingMessage): Record<string, string> {
  const isDisabled = request.headers[disableHeader] === "true";
  Reflect.deleteProperty(request.headers, disableHeader);
  const { origin } = request.headers;
  if (isDisabled || origin === undefined) return {};
  const allowed = {
    "access-control-allow-origin": origin,
    "access-control-allow-credentials": "true",
    vary: "Origin",
  };
  if (!isPreflight(request)) return allowed;
  return {
    ...allowed,
    "access-control-allow-methods": "GET,POST,PUT,PATCH,DELETE,HEAD,OPTIONS",
    "access-control-allow-headers":
      request.headers["access-control-request-headers"] ?? "",
    "access-control-max-age": "43200",
  };
}

/** A preflight never reaches the sandbox while Daytona's CORS is on. */
export function isPreflight(request: IncomingMessage): boolean {
  return (
    request.method === "OPTIONS" &&
    request.headers["access-control-request-method"] !== undefined
  );
}
