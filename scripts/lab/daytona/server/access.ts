/** Who may reach a port of a sandbox: Daytona's own order, first hit wins. */

/** What a request shows. A name that is absent was not sent. */
export interface Credentials {
  /** Of `Authorization: Bearer …`. */
  readonly bearer?: string | undefined;
  /** Of `X-Daytona-Preview-Token`. */
  readonly previewToken?: string | undefined;
  /** Of the query `DAYTONA_SANDBOX_AUTH_KEY`. */
  readonly queryToken?: string | undefined;
  /** Of the cookie that {@link authCookieName} names. */
  readonly cookie?: string | undefined;
}

/** What the proxy asks Daytona's API. */
export interface AccessDirectory {
  isPublic(sandboxId: string): boolean;
  /** Whether an API key gives access to the sandbox. */
  hasAccess(sandboxId: string, apiKey: string): boolean;
  isPreviewToken(sandboxId: string, token: string): boolean;
  /** The sandbox of a signed preview address, by its port as written. */
  sandboxOfSignedToken(token: string, port: string): string | undefined;
  /** The sandbox that a cookie of this name was sealed for. */
  sandboxOfCookie(name: string, sealed: string): string | undefined;
}

export type AccessDecision =
  | {
      readonly by:
        "public" | "bearer" | "header" | "query" | "cookie" | "signed";
      readonly sandboxId: string;
    }
  | { readonly by: "nothing" };

/** Compared as text, so "02280" is not among them (daytonaio/daytona#5147). */
const guardedPorts = new Set(["22222", "2280", "33333"]);

export function authCookieName(target: string): string {
  return `daytona-sandbox-auth-${target}`;
}

export function decideAccess(
  requested: { readonly target: string; readonly port: string },
  credentials: Credentials,
  directory: AccessDirectory,
): AccessDecision {
  const { target, port } = requested;
  const { bearer, previewToken, queryToken, cookie } = credentials;
  if (directory.isPublic(target) && !guardedPorts.has(port)) {
    return { by: "public", sandboxId: target };
  }
  if (bearer !== undefined && directory.hasAccess(target, bearer)) {
    return { by: "bearer", sandboxId: target };
  }
  if (
    previewToken !== undefined &&
    directory.isPreviewToken(target, previewToken)
  ) {
    return { by: "header", sandboxId: target };
  }
  if (
    queryToken !== undefined &&
    directory.isPreviewToken(target, queryToken)
  ) {
    return { by: "query", sandboxId: target };
  }
  if (cookie !== undefined) {
    const sandboxId = directory.sandboxOfCookie(authCookieName(target), cookie);
    if (sandboxId !== undefined) return { by: "cookie", sandboxId };
  }
  const sandboxId = directory.sandboxOfSignedToken(target, port);
  return sandboxId === undefined
    ? { by: "nothing" }
    : { by: "signed", sandboxId };
}
