import type { AccessKey } from "./outputs.ts";
import { placeProblems } from "./url.ts";

export interface TokenClaims {
  /** Id of the sandbox that the token opens. */
  readonly sandbox: string;
  /** The ports that it opens; `"*"` is every port that is not denied. */
  readonly ports: number | readonly number[] | "*";
  /** Life of the token, in seconds; 300 when absent. */
  readonly expiresInSeconds?: number;
  /** Its name in the edge's log (claim `jti`), at most 64 characters. */
  readonly id?: string;
  /** When it is issued, Unix time in seconds; now when absent. */
  readonly issuedAt?: number;
}

/** A token with room for a list of ports; the edge takes 1500 characters. */
const longestPayload = 1_500;

/**
 * Signs a token that opens ports of one sandbox: a JWT with HS256 (RFC 7519,
 * RFC 7515), by WebCrypto. It goes into the header `X-Sandbox-Token`, or into
 * the query as `__sandbox_token` where no header can be set. The edge looks at
 * it when a request or a WebSocket begins, not while it lasts.
 * @throws TypeError that names every claim that is wrong; it holds no secret
 */
export async function signSandboxToken(
  key: AccessKey,
  claims: TokenClaims,
): Promise<string> {
  const { sandbox, ports, expiresInSeconds = 300, id } = claims;
  const issuedAt = claims.issuedAt ?? Math.floor(Date.now() / 1000);
  const listed = ports === "*" ? [] : [ports].flat();
  const problems = [
    ...placeProblems(sandbox, 1),
    ...listed
      .flatMap((port) => placeProblems(sandbox, port).slice(-1))
      .filter((problem) => problem.startsWith("port")),
    ...(ports !== "*" && listed.length === 0
      ? ['ports: an empty list opens nothing; give a port, a list or "*"']
      : []),
    ...(Number.isInteger(expiresInSeconds) && expiresInSeconds > 0
      ? []
      : [
          `expiresInSeconds: ${String(expiresInSeconds)} is not a whole number above 0`,
        ]),
    ...(Number.isInteger(issuedAt)
      ? []
      : [`issuedAt: ${String(issuedAt)} is not Unix time in whole seconds`]),
    ...(id === undefined || /^[\x21-\x7e]{1,64}$/.test(id)
      ? []
      : ["id: not 1 to 64 printable characters"]),
    ...(key.secret.length >= 32
      ? []
      : ["key: its secret is shorter than 32 characters"]),
  ];
  const header = encode({ alg: "HS256", typ: "JWT", kid: key.kid });
  const payload = encode({
    sub: sandbox,
    ports,
    iat: issuedAt,
    exp: issuedAt + expiresInSeconds,
    ...(id === undefined ? {} : { jti: id }),
  });
  if (payload.length > longestPayload) {
    problems.push('ports: too many for one token; use "*" or several tokens');
  }
  if (problems.length > 0) {
    throw new TypeError(`No token can be signed:\n  ${problems.join("\n  ")}`);
  }
  const text = new TextEncoder();
  const hmac = await crypto.subtle.importKey(
    "raw",
    text.encode(key.secret),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign"],
  );
  const signature = await crypto.subtle.sign(
    "HMAC",
    hmac,
    text.encode(`${header}.${payload}`),
  );
  return `${header}.${payload}.${base64url(new Uint8Array(signature))}`;
}

function encode(value: unknown): string {
  return base64url(new TextEncoder().encode(JSON.stringify(value)));
}

/** RFC 7515, section 2: base64url without padding. */
function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}
