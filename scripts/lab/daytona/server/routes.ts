/** Where Daytona's proxy sends a request, or what it answers itself. */
import type { IncomingMessage } from "node:http";
import type { Forwarding } from "../reverse-proxy.ts";
import {
  type AccessDirectory,
  authCookieName,
  decideAccess,
} from "./access.ts";
import type { ErrorStatus } from "./errors.ts";
import {
  type LoginSettings,
  callbackRefusal,
  cookieDomain,
  loginRedirect,
} from "./login.ts";
import { type PreviewHost, parsePreviewHost } from "./preview-host.ts";
import {
  cookies,
  credentials,
  requestTarget,
  splitUrl,
  withoutCredential,
} from "./preview-request.ts";
import type { Sandboxes } from "./sandboxes.ts";
import { cookieMaxAge, openCookie, sealCookie } from "./sealed-cookie.ts";

export interface ProxySettings {
  readonly version: string;
  /** The key that gives access to every sandbox. */
  readonly apiKey: string;
  /** Seals the proxy's cookies. */
  readonly proxyApiKey: string;
  /** What the runner asks of the proxy. */
  readonly runnerToken: string;
  readonly login: LoginSettings;
}

export type Route =
  | {
      readonly forward: Forwarding;
      readonly setCookie?: string;
      /** Path of the request at the runner, for errors of the runner's own. */
      readonly runnerPath: string;
    }
  | Refusal
  | {
      readonly status: number;
      readonly headers?: Record<string, string>;
      readonly json?: unknown;
    };

export interface Refusal {
  readonly status: ErrorStatus;
  readonly refusal: string;
  /** What the error names, undecoded; the client's path by default. */
  readonly path?: string;
}

const runnerHeader = "x-daytona-authorization";

/** How long the proxy believes that a sandbox is public, in milliseconds. */
const publicCacheTime = 3_600_000;

/** How long the proxy believes that it knows a sandbox's runner, in milliseconds. */
const runnerCacheTime = 120_000;

/** @returns a function that may change the request's headers */
export function createRouter(
  settings: ProxySettings,
  sandboxes: Sandboxes,
): (request: IncomingMessage) => Route {
  const directory = accessDirectory(settings, sandboxes);
  const runnerUntil = new Map<string, number>();

  return (request) => {
    const { host, url } = requestTarget(request);
    const preview = parsePreviewHost(host);
    return preview
      ? toSandbox(request, preview, host, url)
      : toBaseHost(request, host, url);
  };

  function toSandbox(
    request: IncomingMessage,
    preview: PreviewHost,
    host: string,
    url: string,
  ): Route {
    const decision = decideAccess(
      preview,
      credentials(request, preview.target),
      directory,
    );
    if (decision.by === "nothing") {
      const headers = loginRedirect(
        settings.login,
        host,
        preview.baseHost,
        url,
      );
      return { status: 307, headers };
    }
    const path = withoutCredential(request, decision, url);
    const route = toToolbox(
      request,
      decision.sandboxId,
      `/proxy/${preview.port}${path}`,
    );
    if (decision.by !== "signed" || !("forward" in route)) return route;
    const name = authCookieName(preview.target);
    const sealed = sealCookie(settings.proxyApiKey, name, decision.sandboxId);
    const setCookie = `${name}=${sealed}; Path=/; Domain=${cookieDomain(preview.baseHost)}; Max-Age=${String(cookieMaxAge)}; HttpOnly`;
    return { ...route, setCookie };
  }

  function toBaseHost(
    request: IncomingMessage,
    host: string,
    url: string,
  ): Route {
    const [path, query] = splitUrl(url);
    if (request.method === "GET" && path === "/health") {
      return { status: 200, json: { status: "ok", version: settings.version } };
    }
    if (request.method === "GET" && path === "/callback") {
      const verifier = cookies(request).pkce_verifier;
      const refusal = callbackRefusal(new URLSearchParams(query), verifier);
      return { status: 400, refusal };
    }
    const toolbox = /^\/toolbox\/([^/?]+)(\/.*)$/.exec(url);
    if (!toolbox)
      return { status: 404, refusal: `Cannot find ${path} on ${host}` };
    const [, target = "", rest = ""] = toolbox;
    const decision = decideAccess(
      { target, port: "2280" },
      credentials(request, target),
      directory,
    );
    if (decision.by === "nothing") {
      return { status: 401, refusal: "authentication required" };
    }
    const path_ = withoutCredential(request, decision, rest);
    return toToolbox(request, decision.sandboxId, path_);
  }

  function toToolbox(
    request: IncomingMessage,
    sandboxId: string,
    path: string,
  ): Route {
    const runnerPath = `/sandboxes/${sandboxId}/toolbox${path}`;
    const record = sandboxes.find(sandboxId);
    if (record?.id !== sandboxId) {
      if ((runnerUntil.get(sandboxId) ?? 0) > Date.now()) {
        return {
          status: 404,
          refusal: `not found: sandbox container not found: Error response from daemon: No such container: ${sandboxId}`,
          path: runnerPath,
        };
      }
      return {
        status: 400,
        refusal: `failed to get runner info: Sandbox with ID ${sandboxId} not found`,
      };
    }
    runnerUntil.set(sandboxId, Date.now() + runnerCacheTime);
    if (record.state !== "started") {
      return {
        status: 400,
        refusal:
          "bad request: failed to resolve container IP after 3 attempts: no IP address found. Is the Sandbox started?",
        path: runnerPath,
      };
    }
    // The proxy appends its own to what the client sent, and the runner
    // believes the first.
    const own = `Bearer ${settings.runnerToken}`;
    if ((request.headers[runnerHeader] ?? own) !== own) {
      return { status: 401, refusal: "invalid token", path: runnerPath };
    }
    const { host, port } = sandboxes.runtime.toolbox(record);
    const headers = {
      [runnerHeader]: undefined,
      "x-forwarded-host": [
        ...[request.headers["x-forwarded-host"] ?? []].flat(),
        requestTarget(request).host,
      ],
    };
    return { forward: { host, port, path, headers }, runnerPath };
  }
}

function accessDirectory(
  settings: ProxySettings,
  sandboxes: Sandboxes,
): AccessDirectory {
  const publicUntil = new Map<string, number>();
  const byId = (id: string) => {
    const record = sandboxes.find(id);
    return record?.id === id ? record : undefined;
  };
  return {
    isPublic(id) {
      const record = byId(id);
      // A sandbox that is gone stays public in the cache.
      if (!record) return (publicUntil.get(id) ?? 0) > Date.now();
      if (record.public) publicUntil.set(id, Date.now() + publicCacheTime);
      else publicUntil.delete(id);
      return record.public;
    },
    hasAccess: (id, apiKey) => apiKey === settings.apiKey && !!byId(id),
    isPreviewToken: (id, token) => byId(id)?.previewToken === token,
    sandboxOfSignedToken: (token, port) =>
      sandboxes.findSigned(token, port)?.id,
    sandboxOfCookie: (name, sealed) =>
      openCookie(settings.proxyApiKey, name, sealed),
  };
}
