import type { KeyPairPem } from "./web/certificates.ts";

/** Where the machine's program finds its settings. */
export const settingsFile = "/etc/lab/internet.json";

/** What the machine's program is told. */
export interface InternetSettings {
  readonly webCa: KeyPairPem;
  readonly cloudflareToken: string;
  readonly zoneId: string;
}
