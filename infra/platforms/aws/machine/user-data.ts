/** User data of the stack's machines on AWS. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cloudInitUserData } from "../../../machine/cloud-init.ts";
import type { AwsSettings } from "../settings.ts";

const file = (name: string) =>
  readFileSync(join(import.meta.dirname, name), "utf8");

/** Where the bundle is, and which one it must be. */
export interface AwsUserData {
  readonly region: string;
  readonly bucket: string;
  readonly key: string;
  /** Hexadecimal. */
  readonly sha256: string;
  /** One of these is the machine's own; none is asked for where there are none. */
  readonly publicAddresses: readonly PublicAddress[];
  readonly sessionManager: AwsSettings["sessionManager"];
}

export interface PublicAddress {
  readonly allocation: string;
  readonly ipv4: string;
}

export function awsUserData(args: AwsUserData): string {
  const { publicAddresses, sessionManager } = args;
  return cloudInitUserData({
    script: file("bootstrap.sh"),
    environment: {
      AWS_REGION: args.region,
      BUNDLE_BUCKET: args.bucket,
      BUNDLE_KEY: args.key,
      BUNDLE_SHA256: args.sha256,
      ...(sessionManager
        ? {
            SESSION_MANAGER_PACKAGE: sessionManager.package,
            SESSION_MANAGER_SHA256: sessionManager.sha256,
          }
        : {}),
    },
    files: {
      "imds.sh": file("imds.sh"),
      ...(publicAddresses.length > 0
        ? {
            "public-addresses": publicAddresses
              .map(({ allocation, ipv4 }) => `${allocation} ${ipv4}\n`)
              .join(""),
          }
        : {}),
      ...(sessionManager
        ? { "session-manager.sh": file("session-manager.sh") }
        : {}),
    },
  });
}
