/** What every platform is made from, whatever its machines are. */
import type * as pulumi from "@pulumi/pulumi";
import type { CertificateCredentials } from "../certificate/credentials.ts";
import type { StackConfig } from "../config/parse.ts";

export interface PlatformArgs {
  readonly config: StackConfig;
  /** Address of Cloudflare's API; its own when absent. */
  readonly cloudflareUrl: string | undefined;
  /** What the certificate's program needs and may not show; secret. */
  readonly certificateCredentials: pulumi.Input<CertificateCredentials>;
  /** The live state `access.json`; absent when no tokens are asked for. */
  readonly access: pulumi.Input<string> | undefined;
  /** The live state `egress-credentials.json`; secret. */
  readonly egressCredentials: pulumi.Input<string>;
}
