/** What every platform is made from, and what it gives, whatever its machines are. */
import type * as pulumi from "@pulumi/pulumi";
import type { CertificateCredentials } from "../certificate/credentials.ts";
import type { StackConfig } from "../config/parse.ts";
import type { EdgeAddress } from "../dns.ts";

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

/** What a platform has made, as the rest of the stack sees it. */
export interface Platform {
  readonly edge: EdgeAddress;
  /** Absent in a stack without egress. */
  readonly gateway: GatewayAddress | undefined;
  /** Whether `destroy` is to leave the DNS records: see README, "Undo". */
  readonly keepsRecords: boolean;
}

export interface GatewayAddress {
  /** As sandboxes see it, or its balancer's name. */
  readonly address: pulumi.Input<string>;
  /** PEM of the authority that signs for inspected hosts; empty when there is none. */
  readonly caCertificate: pulumi.Input<string>;
  /** IPv4 addresses that the world sees; absent where nobody knows them. */
  readonly publicAddresses?: readonly pulumi.Input<string>[];
}
