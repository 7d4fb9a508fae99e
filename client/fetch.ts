import { sandboxErrorFrom } from "./error.ts";
import type { StackOutputs } from "./outputs.ts";
import { signSandboxToken } from "./token.ts";
import { type SandboxAddress, sandboxUrl } from "./url.ts";

export interface SandboxFetchOptions {
  /** A token of your own; without one, mode `signed` signs one for this port. */
  readonly token?: string;
  /** Life of the token that is signed, in seconds; 60 when absent. */
  readonly expiresInSeconds?: number;
  /** Name of the token that is signed, in the edge's log. */
  readonly tokenId?: string;
  /** Daytona's preview token of a private sandbox, for mode `daytona`. */
  readonly previewToken?: string;
}

/**
 * `fetch`, to a port of a sandbox, with the right to do so. Bodies stream both
 * ways. For a WebSocket set `Upgrade: websocket`, as Workers do: the answer's
 * `webSocket` is then to be accepted. Errors of the application are answers.
 * @throws SandboxError when the edge itself answers with an error
 * @throws TypeError for an address or options that cannot be right
 */
export async function sandboxFetch(
  outputs: StackOutputs,
  address: SandboxAddress,
  init: RequestInit = {},
  options: SandboxFetchOptions = {},
): Promise<Response> {
  const url = sandboxUrl(outputs, address);
  const headers = new Headers(init.headers);
  for (const [name, value] of await credentials(outputs, address, options)) {
    headers.set(name, value);
  }
  // The token is for this sandbox alone: it goes along with no redirect.
  const response = await fetch(url, { redirect: "manual", ...init, headers });
  const error = await sandboxErrorFrom(response);
  if (error) throw error;
  return response;
}

async function credentials(
  { access }: StackOutputs,
  { sandbox, port }: SandboxAddress,
  options: SandboxFetchOptions,
): Promise<[string, string][]> {
  if (access.mode === "signed") {
    const token = options.token ?? (await sign());
    return [["X-Sandbox-Token", token]];
  }
  if (access.mode === "daytona" && options.previewToken !== undefined) {
    return [["X-Daytona-Preview-Token", options.previewToken]];
  }
  return [];

  async function sign(): Promise<string> {
    if (!access.key) {
      throw new TypeError(
        "The outputs have no key to sign with; read them with readOutputs(), which says why",
      );
    }
    const { expiresInSeconds = 60, tokenId } = options;
    return await signSandboxToken(access.key, {
      sandbox,
      ports: port,
      expiresInSeconds,
      ...(tokenId === undefined ? {} : { id: tokenId }),
    });
  }
}
