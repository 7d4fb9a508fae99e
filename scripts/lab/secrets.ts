/** Keys and tokens of one lab; made when it starts, gone when it stops. */
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { labDirectory } from "../checkout.ts";
import { run } from "./command.ts";

export interface LabSecrets {
  readonly cloudflareToken: string;
  readonly daytonaApiKey: string;
  readonly daytonaProxyApiKey: string;
  /** Preview token of the private sandbox. */
  readonly previewToken: string;
  /** The gateway's own key for openrouter.ai. */
  readonly openRouterKey: string;
  /** The operator's key, which every server lets in. */
  readonly operator: KeyPair;
  /** The servers' host key. */
  readonly host: KeyPair;
}

export interface KeyPair {
  /** OpenSSH private key. */
  readonly private: string;
  /** Line of authorized_keys(5) without the comment. */
  readonly public: string;
}

const file = join(labDirectory, "secrets.json");

/** The secrets of the lab that runs. */
export function labSecrets(): LabSecrets {
  return JSON.parse(readFileSync(file, "utf8")) as LabSecrets;
}

/** Makes the lab's secrets unless it has them. */
export async function ensureSecrets(): Promise<LabSecrets> {
  if (existsSync(file)) return labSecrets();
  const secrets: LabSecrets = {
    cloudflareToken: token(),
    daytonaApiKey: `dtn_${token()}`,
    daytonaProxyApiKey: token(),
    previewToken: randomBytes(16).toString("hex"),
    openRouterKey: `sk-or-v1-${token()}`,
    operator: await keyPair("operator"),
    host: await keyPair("host"),
  };
  await writeFile(file, JSON.stringify(secrets, undefined, 2), { mode: 0o600 });
  return secrets;
}

async function keyPair(name: string): Promise<KeyPair> {
  const directory = join(labDirectory, "ssh");
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, name);
  if (!existsSync(path)) {
    await run([
      "ssh-keygen",
      "-q",
      "-t",
      "ed25519",
      "-N",
      "",
      "-C",
      "",
      "-f",
      path,
    ]);
  }
  return {
    private: readFileSync(path, "utf8"),
    public: readFileSync(`${path}.pub`, "utf8").trim(),
  };
}

function token(): string {
  return randomBytes(20).toString("base64url");
}
