/**
 * What calls sandboxes through daytona-edge, in a Cloudflare Worker or anywhere
 * else with `fetch` and WebCrypto. Nothing here needs a package or Node.
 * example/worker.ts is a whole Worker.
 */
export { sandboxEnvironment, type SandboxEnvironment } from "./environment.ts";
export {
  SandboxError,
  type SandboxErrorCode,
  sandboxErrorFrom,
} from "./error.ts";
export { sandboxFetch, type SandboxFetchOptions } from "./fetch.ts";
export {
  type AccessKey,
  type AccessMode,
  type Egress,
  type StackOutputs,
  readOutputs,
} from "./outputs.ts";
export { signSandboxToken, type TokenClaims } from "./token.ts";
export { type SandboxAddress, sandboxUrl } from "./url.ts";
