import { constants, gunzipSync } from "node:zlib";
import type { ResourcePolicy } from "./resources.ts";

/** Secrets that are known by how they look. */
const looks: readonly (readonly [string, RegExp])[] = [
  [
    "a private key",
    // With some of the key: programs that read keys have the first line too.
    /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----(?:\s|\\n|\\r)+[A-Za-z0-9+/=]{32}/,
  ],
  // https://developers.cloudflare.com/fundamentals/api/get-started/token-formats
  ["a Cloudflare token", /\bcf(?:k|ut|at)_[A-Za-z0-9]{40}/],
  ["an AWS access key", /\b(?:AKIA|ASIA)[A-Z2-7]{16}\b/],
  ["a GitHub token", /\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{22})/],
  // OpenRouter, Anthropic and others.
  ["an API key", /\bsk-(?=[\w-]*\d)[\w-]{20}/],
  ["a signed token", /\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10}/],
];

/** Cloudflare's older tokens have no look, so only their name tells. */
const secretName = /(?:token|secret|password|api_?key|private_?key)$/i;
const opaque = /^(?=.*\d)(?=.*[a-z])[\w-]{37,}$/i;

/** A packed value is opened up to this size, in bytes. */
const largest = 64 * 1024 * 1024;

/**
 * What stands in plain in a plan also stands in the engine's state, in its
 * output and in AWS' console. The text never says the secret.
 */
export const plainSecrets: ResourcePolicy = {
  name: "plain-secrets",
  description: "No input shows a secret.",
  judge: ({ inputs }) =>
    secretsIn(inputs, "").map(
      ({ path, what }) =>
        `${path} looks like ${what}; pass it as pulumi.secret, or by Secrets Manager.`,
    ),
};

interface Found {
  readonly path: string;
  readonly what: string;
}

function secretsIn(value: unknown, path: string): Found[] {
  if (typeof value === "string") return secretsInText(value, path);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, item]) =>
    secretsIn(item, path === "" ? name : `${path}.${name}`),
  );
}

function secretsInText(text: string, path: string): Found[] {
  const name = path.split(".").at(-1) ?? "";
  if (secretName.test(name) && opaque.test(text)) {
    return [{ path, what: "a secret, by its name" }];
  }
  const document = jsonIn(text);
  if (document !== undefined) return secretsIn(document, path);
  return looks
    .filter(([, look]) => look.test(text) || look.test(unpacked(text)))
    .map(([what]) => ({ path, what }));
}

function jsonIn(text: string): object | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text) as object;
  } catch {
    return undefined;
  }
}

/** What user data and bundles say: base64, with gzip inside or without. */
function unpacked(text: string): string {
  if (text.length < 32 || !/^[A-Za-z0-9+/\s]+={0,2}\s*$/.test(text)) return "";
  const bytes = Buffer.from(text, "base64");
  if (bytes.readUInt16BE(0) !== 0x1f8b) return bytes.toString("latin1");
  try {
    return gunzipSync(bytes, {
      maxOutputLength: largest,
      finishFlush: constants.Z_SYNC_FLUSH,
    }).toString("latin1");
  } catch {
    // It only began like gzip.
    return "";
  }
}
