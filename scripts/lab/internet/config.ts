import * as z from "zod";

/** What the machine is told in /etc/lab/internet.json. */
export const internetConfig = z.strictObject({
  /** The lab's stand-in for the public web's authorities; both PEM. */
  webCa: z.strictObject({ certificate: z.string(), key: z.string() }),
  /** The only token that Cloudflare's stand-in lets in. */
  cloudflareToken: z.string().regex(/^[A-Za-z0-9_-]+$/),
  /** The zone that it holds. */
  zone: z.strictObject({
    id: z.string().regex(/^[0-9a-f]{32}$/),
    name: z.string().min(1),
  }),
});

export type InternetConfig = z.infer<typeof internetConfig>;
