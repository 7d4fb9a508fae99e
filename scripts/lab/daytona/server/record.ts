import { randomBytes, randomInt, randomUUID } from "node:crypto";
import * as z from "zod";

/** What a sandbox is made of when nobody chose. */
export const standardSnapshot = "daytona-lab";

/** A sandbox as it is kept on disk. */
export const sandboxRecord = z.object({
  id: z.string(),
  name: z.string(),
  public: z.boolean(),
  env: z.record(z.string(), z.string()),
  labels: z.record(z.string(), z.string()),
  snapshot: z.string(),
  user: z.string(),
  state: z.enum(["creating", "started", "stopped", "destroying", "error"]),
  /** Which address of the sandboxes' networks it has. */
  number: z.number().int(),
  previewToken: z.string(),
  signedPreviews: z.array(
    z.object({
      port: z.number().int(),
      token: z.string(),
      /** Milliseconds since 1970. */
      expiresAt: z.number(),
    }),
  ),
  createdAt: z.string(),
  updatedAt: z.string(),
});

export type SandboxRecord = z.infer<typeof sandboxRecord>;

/** What one may choose about a new sandbox. */
export interface NewSandbox {
  readonly id?: string | undefined;
  readonly name?: string | undefined;
  readonly public?: boolean | undefined;
  readonly env?: Record<string, string> | undefined;
  readonly labels?: Record<string, string> | undefined;
  readonly snapshot?: string | undefined;
  readonly user?: string | undefined;
  readonly previewToken?: string | undefined;
}

export function newRecord(
  chosen: NewSandbox,
  number: number,
  createdAt: Date,
): SandboxRecord {
  const id = chosen.id ?? randomUUID();
  const now = createdAt.toISOString();
  return {
    id,
    name: chosen.name ?? id,
    public: chosen.public ?? false,
    env: chosen.env ?? {},
    labels: chosen.labels ?? {},
    snapshot: chosen.snapshot ?? standardSnapshot,
    user: chosen.user ?? "root",
    state: "creating",
    number,
    previewToken: chosen.previewToken ?? newPreviewToken(),
    signedPreviews: [],
    createdAt: now,
    updatedAt: now,
  };
}

/** The first address that no sandbox has; Docker reuses them the same way. */
export function freeNumber(taken: ReadonlySet<number>): number {
  let number = 2;
  while (taken.has(number) || number % 256 === 0 || number % 256 === 255) {
    number++;
  }
  return number;
}

/** Where a sandbox stands in the sandboxes' networks. */
export function addressesOf(number: number): {
  address: string;
  address6: string;
} {
  const bytes = [number >> 8, number & 255];
  return {
    address: `172.20.${bytes.join(".")}`,
    address6: `2001:db8:20::${number.toString(16)}`,
  };
}

/** 32 characters, good for all ports of a sandbox until it starts again. */
export function newPreviewToken(): string {
  return randomBytes(16).toString("hex");
}

const signedTokenAlphabet = "0123456789abcdefghijklmnopqrstuvwxyz";

/** 16 characters of 0-9a-z. */
export function newSignedToken(): string {
  return Array.from(
    { length: 16 },
    () => signedTokenAlphabet[randomInt(signedTokenAlphabet.length)],
  ).join("");
}
