/**
 * Where Daytona's proxy sends whoever shows no credential: to the login server
 * (OpenID Connect with PKCE). The lab has no login server, so every code that
 * comes back is refused as an unknown one is.
 */
import { createHash, randomBytes } from "node:crypto";

export interface LoginSettings {
  /** Base address of the login server, for example "https://dex.example.org". */
  readonly issuer: string;
  readonly clientId: string;
  /** Scheme of the proxy's public address. */
  readonly protocol: string;
}

/**
 * @param host Host header of the request
 * @param baseHost the same without its first label
 */
export function loginRedirect(
  settings: LoginSettings,
  host: string,
  baseHost: string,
  path: string,
): Record<string, string> {
  const verifier = randomBytes(32).toString("base64url");
  const returnTo = `${settings.protocol}://${host}${path}`;
  const query = new URLSearchParams({
    client_id: settings.clientId,
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
    redirect_uri: `${settings.protocol}://${baseHost}/callback`,
    response_type: "code",
    scope: "openid profile",
    state: Buffer.from(
      JSON.stringify({ state: randomBytes(16).toString("hex"), returnTo }),
    ).toString("base64url"),
  });
  return {
    location: `${settings.issuer}/auth?${query.toString()}`,
    "set-cookie": `pkce_verifier=${verifier}; Path=/; Domain=${cookieDomain(baseHost)}; Max-Age=300; HttpOnly`,
  };
}

/** Cookies go to every host of the domain, as Daytona's do. */
export function cookieDomain(baseHost: string): string {
  return `.${baseHost.replace(/:[0-9]+$/, "")}`;
}

/** Why a request to `/callback` is refused. */
export function callbackRefusal(
  query: URLSearchParams,
  verifier: string | undefined,
): string {
  for (const name of ["code", "state"]) {
    if (!query.has(name)) return `no ${name} in query params`;
  }
  if (verifier === undefined) return "no pkce_verifier cookie";
  return "failed to exchange token: invalid_grant";
}
